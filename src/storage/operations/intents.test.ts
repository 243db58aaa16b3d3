import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
  allOf,
  approve,
  createSecret,
  device,
  entry,
  importDevices,
  intent,
  issuedRecord,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  verifiedIds,
} from '../storage.fixture.ts';

suite('intents whose lease has ended', () => {
  test('are listed oldest first, up to the limit', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await enrollment.reserve(intent('i2', 'd1', { leaseUntil: now + 2 }));
    await enrollment.reserve(intent('i1', 'd1', { leaseUntil: now + 1 }));
    await enrollment.reserve(intent('i3', 'd1', { leaseUntil: now + 3 }));
    const ids = async (at: number, limit: number) =>
      (await admin.expiredIntents(at, limit)).map(({ id }) => id);
    assert.deepEqual(await ids(now, 9), []);
    assert.deepEqual(await ids(now + 2, 9), ['i1', 'i2']);
    assert.deepEqual(await ids(now + 9, 2), ['i1', 'i2']);
    const { serialNumber } = intent('i1', 'd1');
    assert.deepEqual((await admin.expiredIntents(now + 1, 1))[0], {
      id: 'i1',
      issuer: 'issuing',
      serialNumber,
      deviceId: 'd1',
      template: 'device',
    });
  });

  test('are no longer listed when closed or abandoned', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await enrollment.reserve(intent('i1', 'd1'));
    await enrollment.reserve(intent('i2', 'd1'));
    await enrollment.close(issuedRecord(intent('i1', 'd1')));
    await admin.abandonIntent({ id: 'i2', now, entry: entry('sweep') });
    assert.deepEqual(await admin.expiredIntents(now + 1e9, 9), []);
  });
});

suite('abandoning an intent', () => {
  test('revokes the serial for good, frees the approval, leaves the secret to the same request', async (t) => {
    const { enrollment, admin, log } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    await approve(admin, newApproval('a1', 'd1'));
    const wanted = intent('i1', 'd1', { secret: { id: 's1', state: 'live' }, approvalId: 'a1' });
    await enrollment.reserve(wanted);
    assert.deepEqual(await admin.abandonIntent({ id: 'i1', now: now + 5, entry: entry('sweep') }), {
      index: 3,
    });
    assert.deepEqual(await verifiedIds(log), ['import', 'create s1', 'approve a1', 'sweep']);

    const far = now + 1e12;
    assert.deepEqual(await allOf(admin.revoked('issuing', far)), [
      { serialNumber: wanted.serialNumber, revokedAt: now + 5, reason: 0 },
    ]);
    assert.deepEqual(await allOf(admin.revoked('other', 0)), []);

    const observed = await enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }));
    assert.equal(observed.approval?.id, 'a1');
    assert.equal(observed.secret?.state, 'reserved');
    const again = intent('i2', 'd1', { secret: { id: 's1', state: 'reserved' }, approvalId: 'a1' });
    assert.equal(await enrollment.reserve(again), 'reserved');
  });

  test('does not free an approval that was voided meanwhile', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await approve(admin, newApproval('a1', 'd1'));
    await enrollment.reserve(intent('i1', 'd1', { approvalId: 'a1' }));
    await admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') });
    await admin.abandonIntent({ id: 'i1', now, entry: entry('sweep') });
    assert.equal(await enrollment.reserve(intent('i2', 'd1', { approvalId: 'a1' })), 'conflict');
  });

  test('conflicts when it is closed, abandoned or unknown', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await enrollment.reserve(intent('closed', 'd1'));
    await enrollment.close(issuedRecord(intent('closed', 'd1')));
    await enrollment.reserve(intent('abandoned', 'd1'));
    await admin.abandonIntent({ id: 'abandoned', now, entry: entry('sweep') });
    for (const id of ['closed', 'abandoned', 'unknown']) {
      await assert.rejects(admin.abandonIntent({ id, now, entry: entry('sweep again') }), (error) =>
        isSallyportError(error, 'conflict'),
      );
    }
    assert.deepEqual(await allOf(admin.revoked('issuing', 0)), [
      { serialNumber: intent('abandoned', 'd1').serialNumber, revokedAt: now, reason: 0 },
    ]);
  });
});
