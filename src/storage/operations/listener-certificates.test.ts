import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { allOf, digest, entry, hour, now, openStores, verifiedIds } from '../storage.fixture.ts';

const holder = { node: '', listener: 'enroll' };
const certificate = (serialNumber: string, more: object = {}) => ({
  issuer: 'issuing',
  serialNumber,
  spki: digest('listener'),
  notBefore: now,
  notAfter: now + 1000 * hour,
  der: Uint8Array.of(0x30, serialNumber.length),
  ...more,
});
const saving = (serialNumber: string, known: readonly string[], more: object = {}) => ({
  holder,
  certificate: certificate(serialNumber),
  known,
  replaced: [],
  now,
  entry: entry(serialNumber),
  ...more,
});

suite('listener certificates', () => {
  test('are those of their listener that have not ended, the longest first, each with its entry', async (t) => {
    const { admin, log } = openStores(t);
    await admin.saveListenerCertificates([saving('01', [])]);
    const later = certificate('02', { notAfter: now + 2000 * hour, issuer: 'second' });
    await admin.saveListenerCertificates([saving('02', ['01'], { certificate: later })]);
    assert.deepEqual(await admin.listenerCertificates(holder, now), [later, certificate('01')]);
    assert.deepEqual(await admin.listenerCertificates(holder, now + 1000 * hour), [later]);
    for (const other of [
      { node: '', listener: 'api' },
      { node: 'node-2', listener: 'enroll' },
    ]) {
      assert.deepEqual(await admin.listenerCertificates(other, now), []);
    }
    assert.deepEqual(await verifiedIds(log), ['01', '02']);
  });

  test('are saved for all listeners or for none, where one has got another meanwhile', async (t) => {
    const { admin, log } = openStores(t);
    const api = { node: '', listener: 'api' };
    await admin.saveListenerCertificates([saving('01', [])]);
    const both = [saving('02', [], { holder: api }), saving('03', [])];
    await assert.rejects(admin.saveListenerCertificates(both), { code: 'conflict' });
    assert.deepEqual(await admin.listenerCertificates(api, now), []);
    assert.deepEqual(await verifiedIds(log), ['01']);
    await admin.saveListenerCertificates([both[0]!, saving('03', ['01'])]);
    assert.deepEqual(await admin.listenerCertificates(api, now), [certificate('02')]);
    assert.deepEqual(await verifiedIds(log), ['01', '02', '03']);
  });

  test('of another key are revoked with the new one, and belong on the CRL for good', async (t) => {
    const { admin } = openStores(t);
    await admin.saveListenerCertificates([saving('01', [])]);
    assert.equal(await admin.revokedCount('issuing', now), 0);
    const next = certificate('02', { spki: digest('another key') });
    const replaced = [{ issuer: 'issuing', serialNumber: '01', reason: 4 }];
    await admin.saveListenerCertificates([saving('02', ['01'], { certificate: next, replaced })]);
    assert.deepEqual(await admin.listenerCertificates(holder, now), [next]);
    const listed = [{ serialNumber: '01', revokedAt: now, reason: 4 }];
    assert.deepEqual(await allOf(admin.revoked('issuing', now)), listed);
    assert.deepEqual(await allOf(admin.revoked('issuing', now + 3000 * hour)), listed);
    assert.equal(await admin.revokedCount('issuing', now), 1);
    assert.deepEqual(await allOf(admin.revoked('other', now)), []);
  });
});
