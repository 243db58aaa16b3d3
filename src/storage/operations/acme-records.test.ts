import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  createAccount,
  createExternalAccountKey,
  createOrder,
  device,
  digest,
  entry,
  hour,
  importDevices,
  newExternalAccountKey,
  now,
  openStores,
} from '../storage.fixture.ts';
import {
  accountRecords,
  acmeCounts,
  authorizationRecords,
  externalAccountKeyRecords,
} from './acme-records.ts';

suite('what is compared with the log, of ACME', () => {
  test('is there in the order of the ids, and null for what is not', async (t) => {
    const { admin, acme, query } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    const bounds = { names: ['.example.org'], maximumCertificates: 3, approvedBy: 'ada' };
    await createExternalAccountKey(admin, newExternalAccountKey('k1', 'd1', bounds));
    await createExternalAccountKey(admin, newExternalAccountKey('k2', 'd2', { by: 'machine:ci' }));
    await createAccount(acme, 'a1', 'k1');
    await createOrder(acme, 'o1', 'a1');
    await createOrder(acme, 'o2', 'a1');
    const id = 'authorization of o1';
    await acme.respond({ id, method: 'dns-01', request: 'R-1', dueAt: now, now, entry: entry('respond') });
    await acme.validated({ id, problem: null, expiresAt: now + hour, now, entry: entry('valid') });
    const retired = { id: 'd2', state: 'retired', now, entry: entry('retire') } as const;
    await admin.setDeviceState(retired);

    const key = { id: 'k1', deviceId: 'd1', templates: ['web'], ...bounds };
    const times = { createdAt: now, expiresAt: now + hour };
    const [none, first, second] = await query(externalAccountKeyRecords({ ids: ['k9', 'k1', 'k2'] }));
    assert.equal(none, null);
    assert.deepEqual(first, { ...key, ...times, deviceState: device('d1').state, state: 'spent', by: 'ada' });
    assert.deepEqual(
      [second?.deviceState, second?.state, second?.names, second?.by],
      ['retired', 'void', null, 'machine:ci'],
    );

    assert.deepEqual(await query(accountRecords({ ids: ['a1', 'a9'] })), [
      {
        id: 'a1',
        externalAccountKey: 'k1',
        device: 'd1',
        thumbprint: 'thumbprint of a1',
        jwk: '{}',
        spki: digest('key of a1'),
        status: 'valid',
      },
      null,
    ]);

    const ids = ['authorization of o2', 'authorization of o9', id];
    const [pending, missing, valid] = await query(authorizationRecords({ ids }));
    assert.deepEqual([pending?.status, pending?.method, missing], ['pending', null, null]);
    assert.deepEqual(valid, {
      id,
      account: 'a1',
      template: 'web',
      type: 'dns',
      value: 'www.example.org',
      wildcard: false,
      status: 'valid',
      method: 'dns-01',
      request: 'R-1',
      validatedAt: now,
      expiresAt: now + hour,
    });
    const counts = { externalAccountKeys: 2, accounts: 1, validAuthorizations: 1 };
    assert.deepEqual(await query(acmeCounts()), counts);
  });

  test('is gone with its device', async (t) => {
    const { acme, admin, query } = openStores(t);
    await importDevices(admin, device('d1'));
    await createExternalAccountKey(admin, newExternalAccountKey('k1', 'd1'));
    await createAccount(acme, 'a1', 'k1');
    await admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') });
    const acts = [entry('erase')];
    const erasing = { id: 'd1', as: 'E-1', now, entries: [], blobs: 0, lookedThrough: 5, acts };
    await admin.eraseDevice(erasing);
    assert.deepEqual(await query(externalAccountKeyRecords({ ids: ['k1'] })), [null]);
    assert.deepEqual(await query(accountRecords({ ids: ['a1'] })), [null]);
    const none = { externalAccountKeys: 0, accounts: 0, validAuthorizations: 0 };
    assert.deepEqual(await query(acmeCounts()), none);
  });
});
