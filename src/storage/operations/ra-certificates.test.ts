import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { allOf, digest, entry, hour, now, openStores, verifiedIds } from '../storage.fixture.ts';

const certificate = (serialNumber: string, key = 'ra', notAfter = now + 1000 * hour) => ({
  serialNumber,
  spki: digest(key),
  notBefore: now,
  notAfter,
  der: Uint8Array.of(0x30, serialNumber.length),
});
const saving = (serialNumber: string, newest: string | null, more: object = {}) => ({
  issuer: 'issuing',
  certificate: certificate(serialNumber),
  newest,
  replaced: [],
  now,
  entry: entry(serialNumber),
  ...more,
});

suite('RA certificates', () => {
  test('are those of their issuer that have not ended, the longest first, each with its entry', async (t) => {
    const { admin, log } = openStores(t);
    await admin.saveRaCertificate(saving('01', null));
    const later = certificate('02', 'ra', now + 2000 * hour);
    await admin.saveRaCertificate(saving('02', '01', { certificate: later }));
    assert.deepEqual(await admin.raCertificates('issuing', now), [later, certificate('01')]);
    assert.deepEqual(await admin.raCertificates('issuing', now + 1000 * hour), [later]);
    assert.deepEqual(await admin.raCertificates('other', now), []);
    assert.deepEqual(await verifiedIds(log), ['01', '02']);
  });

  test('are saved by one of two nodes that found the same', async (t) => {
    const { admin, log } = openStores(t);
    await admin.saveRaCertificate(saving('01', null));
    await assert.rejects(admin.saveRaCertificate(saving('02', null)), { code: 'conflict' });
    assert.deepEqual(await admin.raCertificates('issuing', now), [certificate('01')]);
    assert.deepEqual(await verifiedIds(log), ['01']);
  });

  test('of another key are revoked with the new one, and belong on the CRL for good', async (t) => {
    const { admin } = openStores(t);
    await admin.saveRaCertificate(saving('01', null));
    assert.equal(await admin.revokedCount('issuing', now), 0);
    const next = certificate('02', 'another key');
    const replaced = [{ serialNumber: '01', reason: 4 }];
    await admin.saveRaCertificate(saving('02', '01', { certificate: next, replaced }));
    assert.deepEqual(await admin.raCertificates('issuing', now), [next]);
    const listed = [{ serialNumber: '01', revokedAt: now, reason: 4 }];
    assert.deepEqual(await allOf(admin.revoked('issuing', now)), listed);
    assert.deepEqual(await allOf(admin.revoked('issuing', now + 3000 * hour)), listed);
    assert.equal(await admin.revokedCount('issuing', now), 1);
    assert.deepEqual(await allOf(admin.revoked('other', now)), []);
  });
});
