import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
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
    assert.deepEqual(await admin.revoked('issuing', notAfter), listed);
    assert.deepEqual(await admin.revoked('issuing', notAfter + 1), []);
    assert.equal(await admin.revokedCount('issuing', notAfter), 1);
    assert.equal(await admin.revokedCount('issuing', notAfter + 1), 0);
  });

  test('are counted with the intents that were abandoned', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    for (const id of ['one', 'two']) await enrollment.reserve(intent(id, 'd1'));
    assert.equal(await admin.revokedCount('issuing', now), 0);
    await admin.abandonIntent({ id: 'one', now, entry: entry('abandon') });
    assert.equal(await admin.revokedCount('issuing', now), 1);
    assert.equal((await admin.revoked('issuing', now)).length, 1);
    assert.equal(await admin.revokedCount('other', now), 0);
  });
});

suite('the CRL', () => {
  const crl = (number: bigint) => ({
    issuer: 'issuing',
    number,
    der: new Uint8Array([Number(number % 256n)]),
    thisUpdate: now,
    nextUpdate: now + hour,
  });

  test('is the newest, its number as large as RFC 5280 section 5.2.3 allows', async (t) => {
    const { admin } = openStores(t);
    assert.equal(await admin.crl('issuing'), null);
    const huge = 2n ** 158n;
    for (const number of [1n, 2n, huge]) {
      await admin.saveCrl({ ...crl(number), entry: entry(`crl ${number}`) });
      const { issuer: _, ...stored } = crl(number);
      assert.deepEqual(await admin.crl('issuing'), stored);
    }
    assert.equal(await admin.crl('other'), null);
  });

  test('with a number that is not larger is a conflict', async (t) => {
    const { admin, log } = openStores(t);
    await admin.saveCrl({ ...crl(10n), entry: entry('ten') });
    for (const number of [9n, 10n]) {
      await assert.rejects(admin.saveCrl({ ...crl(number), entry: entry('again') }), (error) =>
        isSallyportError(error, 'conflict'),
      );
    }
    assert.equal((await admin.crl('issuing'))?.number, 10n);
    assert.equal((await log.head()).size, 1);
  });
});
