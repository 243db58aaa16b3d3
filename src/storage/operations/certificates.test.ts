import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
  certificateOf,
  device,
  digest,
  entry,
  hour,
  importDevices,
  intent,
  issue,
  issuedRecord,
  now,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';

/** Certificates one (d1, expires first), two (d2) and three (d1, template other), in this order. */
async function issued(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  const one = intent('one', 'd1');
  await stores.enrollment.reserve(one);
  await stores.enrollment.close(
    issuedRecord(one, { certificate: certificateOf(one, { notAfter: now + hour }) }),
  );
  await issue(stores.enrollment, intent('two', 'd2', { spki: digest('key 2') }));
  await issue(stores.enrollment, intent('three', 'd1', { template: 'other' }));
  return stores;
}

const sha256Of = (id: string) => digest(`certificate of ${id}`);

suite('listing certificates', () => {
  test('goes in the order of issuance, in pages, by device, template and state', async (t) => {
    const { admin } = await issued(t);
    await admin.revokeCertificate({ sha256: sha256Of('two'), reason: 1, now, entry: entry('revoke') });
    const list = async (filter: Partial<Parameters<typeof admin.certificates>[0]>) =>
      (await admin.certificates({ now, limit: 9, ...filter })).map(({ sha256 }) =>
        ['one', 'two', 'three'].find((id) => sha256Of(id) === sha256),
      );
    assert.deepEqual(await list({}), ['one', 'two', 'three']);
    assert.deepEqual(await list({ limit: 2 }), ['one', 'two']);
    assert.deepEqual(await list({ after: sha256Of('two') }), ['three']);
    assert.deepEqual(await list({ deviceId: 'd1' }), ['one', 'three']);
    assert.deepEqual(await list({ deviceId: 'd1', after: sha256Of('one') }), ['three']);
    assert.deepEqual(await list({ template: 'other' }), ['three']);
    assert.deepEqual(await list({ state: 'revoked' }), ['two']);
    assert.deepEqual(await list({ state: 'current' }), ['one', 'three']);
    assert.deepEqual(await list({ state: 'current', now: now + hour + 1 }), ['three']);
    assert.deepEqual(await list({ state: 'expired', now: now + hour + 1 }), ['one']);
  });
});

suite('a certificate', () => {
  test('that waits for a word before it leaves is undelivered until then', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    const wanted = intent('i1', 'd1');
    assert.equal(await enrollment.reserve(wanted), 'reserved');
    await enrollment.close(issuedRecord(wanted, { undelivered: true }));
    const { sha256 } = certificateOf(wanted);
    const isUndelivered = async () => (await enrollment.certificate(sha256))?.undelivered;
    assert.equal(await isUndelivered(), true);
    await enrollment.delivered(sha256);
    assert.equal(await isUndelivered(), false);
  });

  test('is found by SHA-256 and by serial number, in upper case too', async (t) => {
    const { admin } = await issued(t);
    const { serialNumber } = intent('two', 'd2');
    const info = await admin.certificateInfo(sha256Of('two'));
    const { names: _, ...shown } = certificateOf(intent('two', 'd2', { spki: digest('key 2') }));
    assert.deepEqual(info, {
      ...shown,
      der: new Uint8Array(Buffer.from('DER of two')),
      revokedAt: null,
      revocationReason: null,
      log: 0,
      logIndex: 2,
    });
    assert.deepEqual(await admin.certificateInfo(serialNumber.toUpperCase()), info);
    assert.equal(await admin.certificateInfo(digest('unknown')), null);
  });

  test('is revoked once, with its entry', async (t) => {
    const { admin, log } = await issued(t);
    const revoke = (sha256: string) =>
      admin.revokeCertificate({ sha256, reason: 4, now: now + 1, entry: entry('revoke') });
    assert.deepEqual(await revoke(sha256Of('one')), { index: 4 });
    const info = await admin.certificateInfo(sha256Of('one'));
    assert.deepEqual([info?.revokedAt, info?.revocationReason], [now + 1, 4]);
    await assert.rejects(revoke(sha256Of('one')), (error) => isSallyportError(error, 'conflict'));
    await assert.rejects(revoke(digest('unknown')), (error) => isSallyportError(error, 'not-found'));
    assert.deepEqual(await verifiedIds(log), ['import', 'one', 'two', 'three', 'revoke']);
  });
});
