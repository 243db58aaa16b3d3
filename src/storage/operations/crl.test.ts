import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
  allOf,
  certificateOf,
  device,
  entry,
  hour,
  importDevices,
  intent,
  issue,
  now,
  openStores,
} from '../storage.fixture.ts';

suite('revoked certificates', () => {
  test('are those of the issuer that had not expired', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    const here = intent('here', 'd1');
    const elsewhere = intent('elsewhere', 'd1', { issuer: 'other' });
    const good = intent('good', 'd1');
    for (const wanted of [here, elsewhere, good]) await issue(enrollment, wanted);
    for (const wanted of [here, elsewhere]) {
      const { sha256 } = certificateOf(wanted);
      await admin.revokeCertificate({ sha256, reason: 1, now, entry: entry('revoke') });
    }
    const { notAfter } = certificateOf(here);
    const listed = [{ serialNumber: here.serialNumber, revokedAt: now, reason: 1 }];
    assert.deepEqual(await allOf(admin.revoked('issuing', notAfter)), listed);
    assert.deepEqual(await allOf(admin.revoked('issuing', notAfter + 1)), []);
    assert.equal(await admin.revokedCount('issuing', notAfter), 1);
    assert.equal(await admin.revokedCount('issuing', notAfter + 1), 0);
  });

  test('come in parts, each once, however many end at one time', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    const serialNumbers = new Set<string>();
    for (let at = 0; at < 7; at += 1) {
      const wanted = intent(`i${at}`, 'd1');
      await issue(enrollment, wanted);
      const { sha256 } = certificateOf(wanted);
      await admin.revokeCertificate({ sha256, reason: 4, now, entry: entry('revoke') });
      serialNumbers.add(wanted.serialNumber);
    }
    const parts = await Array.fromAsync(admin.revoked('issuing', now, 3));
    assert.deepEqual(
      parts.map((part) => part.length),
      [3, 3, 1, 0],
    );
    assert.deepEqual(new Set(parts.flat().map((row) => row.serialNumber)), serialNumbers);
  });

  test('are counted with the intents that were abandoned', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    for (const id of ['one', 'two']) await enrollment.reserve(intent(id, 'd1'));
    assert.equal(await admin.revokedCount('issuing', now), 0);
    await admin.abandonIntent({ id: 'one', now, entry: entry('abandon') });
    assert.equal(await admin.revokedCount('issuing', now), 1);
    assert.equal((await allOf(admin.revoked('issuing', now))).length, 1);
    assert.equal(await admin.revokedCount('other', now), 0);
  });
});

suite('the CRL', () => {
  const crl = (number: bigint) => ({
    issuer: 'issuing',
    number,
    der: new Uint8Array([Number(number % 256n)]),
    listed: Number(number % 7n),
    thisUpdate: now,
    nextUpdate: now + hour,
  });

  test('is the newest, its number as large as RFC 5280 section 5.2.3 allows', async (t) => {
    const { admin } = openStores(t);
    assert.equal(await admin.crl('issuing'), null);
    const huge = 2n ** 158n;
    let previous: bigint | null = null;
    for (const number of [1n, 2n, huge]) {
      await admin.saveCrl({ ...crl(number), previous, entry: entry(`crl ${number}`) });
      const { issuer: _, der, ...info } = crl(number);
      assert.deepEqual(await admin.crl('issuing'), { ...info, octets: 1, der });
      assert.deepEqual(await admin.crlInfo('issuing'), { ...info, octets: 1 });
      previous = number;
    }
    assert.equal(await admin.crl('other'), null);
  });

  test('with a number that is not larger is a conflict', async (t) => {
    const { admin, log } = openStores(t);
    await admin.saveCrl({ ...crl(10n), previous: null, entry: entry('ten') });
    for (const number of [9n, 10n]) {
      await assert.rejects(admin.saveCrl({ ...crl(number), previous: 10n, entry: entry('again') }), (error) =>
        isSallyportError(error, 'conflict'),
      );
    }
    assert.equal((await admin.crl('issuing'))?.number, 10n);
    assert.equal((await log.head()).size, 1);
  });

  test('that follows another one than the newest is a conflict: it may lack what that one lists', async (t) => {
    const { admin } = openStores(t);
    const conflict = (previous: bigint | null) =>
      assert.rejects(admin.saveCrl({ ...crl(20n), previous, entry: entry('slow') }), (error) =>
        isSallyportError(error, 'conflict'),
      );
    await conflict(1n);
    await admin.saveCrl({ ...crl(10n), previous: null, entry: entry('ten') });
    await conflict(null);
    await conflict(9n);
    await admin.saveCrl({ ...crl(20n), previous: 10n, entry: entry('twenty') });
  });
});
