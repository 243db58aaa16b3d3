import {
  buildName,
  encodeBasicConstraints,
  encodeKeyUsage,
  encodeName,
  encodeSubjectKeyIdentifier,
  encodeTbsCertificate,
  extensionOids,
  assembleSigned,
  keyIdentifier,
  parseCertificateList,
  verifyCertificateListSignature,
} from '#x509';
import { keyAlgorithms } from '#keys';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { requireClient } from '../../test/clients.ts';
import { type CrlContent, issueCrl, type RevokedSerialNumber } from './crl.ts';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';
import { loadIssuer } from './issuer.ts';
import { revocationReasons } from './revocation-reason.ts';

const { issuer, rootKey } = await exampleAuthority();
const empty: CrlContent = { number: 7n, thisUpdate: noon, nextUpdate: noon + day, revoked: [] };

const everyReason = Object.keys(revocationReasons)
  .filter((reason) => reason !== 'removeFromCRL')
  .map((reason): RevokedSerialNumber => ({
    serialNumber: serialNumber(),
    revokedAt: noon - 1000,
    reason: reason as RevokedSerialNumber['reason'],
  }));

test('a CRL says what was revoked, when and why, with its number and the issuer of both', async () => {
  const list = parseCertificateList((await issueCrl(issuer, { ...empty, revoked: [everyReason] })).der);
  assert.equal(list.crlNumber, 7n);
  assert.deepEqual(list.authorityKeyIdentifier, issuer.certificate.subjectKeyIdentifier);
  assert.deepEqual(list.issuerDer, issuer.certificate.subjectDer);
  assert.deepEqual([list.thisUpdate, list.nextUpdate], [noon, noon + day]);
  assert.deepEqual(
    list.revoked,
    everyReason.map(({ reason, ...entry }) => ({ ...entry, reason: revocationReasons[reason] })),
  );
  assert.ok(verifyCertificateListSignature(list, issuer.certificate.spki));
});

for (const algorithm of keyAlgorithms) {
  test(`${algorithm}: openssl crl and certtool read the CRL`, async (t) => {
    const { issuer: signer } = await exampleAuthority(algorithm);
    const { der: crl } = await issueCrl(signer, { ...empty, revoked: [everyReason] });
    assert.ok(verifyCertificateListSignature(parseCertificateList(crl), signer.certificate.spki));

    await t.test('openssl', (t) => {
      const openssl = requireClient(t, 'openssl');
      if (openssl === null) return;
      const printed = execFileSync(openssl, ['crl', '-inform', 'DER', '-noout', '-text'], {
        input: crl,
        encoding: 'utf8',
      });
      assert.equal(printed.match(/Serial Number:/gu)?.length, everyReason.length);
      assert.match(printed, /X509v3 CRL Number: \s*7/u);
      assert.match(printed, /Key Compromise/u);
    });
    await t.test('certtool', (t) => {
      const certtool = requireClient(t, 'certtool');
      if (certtool === null) return;
      const printed = execFileSync(certtool, ['--crl-info', '--inder'], { input: crl, encoding: 'utf8' });
      assert.match(printed, new RegExp(`Revoked certificates \\(${everyReason.length}\\)`, 'u'));
    });
  });
}

test('a CRL with nothing on it has no list at all (RFC 5280 section 5.1.2.6)', async () => {
  assert.deepEqual(parseCertificateList((await issueCrl(issuer, empty)).der).revoked, []);
});

test('a list whose next update is not later, or that names one certificate twice, is not signed', async () => {
  const [entry] = everyReason;
  assert.ok(entry);
  await assert.rejects(issueCrl(issuer, { ...empty, nextUpdate: noon }), { code: 'internal' });
  await assert.rejects(issueCrl(issuer, { ...empty, revoked: [[entry], [entry]] }), { code: 'internal' });
});

test('an issuer that was not loaded, or may not sign CRLs, signs none', async () => {
  await assert.rejects(issueCrl({ ...issuer }, empty), { code: 'internal' });
  const subject = buildName([{ type: 'commonName', value: 'No CRLs' }]);
  const tbs = encodeTbsCertificate({
    serialNumber: serialNumber(),
    signatureAlgorithm: rootKey.algorithm,
    issuer: encodeName(subject),
    subject,
    notBefore: noon,
    notAfter: noon + day,
    spki: rootKey.spki,
    extensions: [
      { oid: extensionOids.basicConstraints, critical: true, value: encodeBasicConstraints({ ca: true }) },
      { oid: extensionOids.keyUsage, critical: true, value: encodeKeyUsage(['keyCertSign']) },
      {
        oid: extensionOids.subjectKeyIdentifier,
        critical: false,
        value: encodeSubjectKeyIdentifier(keyIdentifier(rootKey.spki)),
      },
    ],
  });
  const certificate = assembleSigned(tbs, rootKey.algorithm, await rootKey.sign(tbs));
  const mute = await loadIssuer({ name: 'mute', certificate, chain: [], key: rootKey });
  await assert.rejects(issueCrl(mute, empty), { code: 'config', message: /cRLSign/u });
});
