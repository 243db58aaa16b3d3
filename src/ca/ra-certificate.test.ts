import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateSoftwareKey } from '#keys';
import { buildName, extendedKeyUsages, verifyCertificateSignature } from '#x509';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';
import { signRaCertificate } from './ra-certificate.ts';

describe('the certificate of an RA', () => {
  const requested = async (algorithm: 'rsa-2048' | 'ec-p256') => ({
    issuer: (await exampleAuthority()).issuer,
    subject: buildName([{ type: 'commonName', value: 'Example RA' }]),
    spki: (await generateSoftwareKey(algorithm)).spki,
    serialNumber: serialNumber(),
    notBefore: noon,
    notAfter: noon + 365 * day,
    crlUrls: [],
    caIssuersUrls: [],
  });

  test('has the usages of RFC 8894 section 2.1.2, and is good for nothing else', async () => {
    const request = await requested('rsa-2048');
    const certificate = await signRaCertificate(request);
    assert.deepEqual(certificate.keyUsage, ['digitalSignature', 'keyEncipherment']);
    assert.deepEqual(certificate.extendedKeyUsage, [extendedKeyUsages.emailProtection]);
    assert.equal(certificate.isCa, false);
    assert.deepEqual(certificate.subject, request.subject);
    assert.ok(verifyCertificateSignature(certificate, request.issuer.certificate.spki));
  });

  test('is for an RSA key alone: nothing can be encrypted to another', async () => {
    await assert.rejects(signRaCertificate(await requested('ec-p256')), { code: 'key' });
  });

  test('does not outlive its issuer', async () => {
    const request = await requested('rsa-2048');
    const notAfter = request.issuer.certificate.notAfter + day;
    await assert.rejects(signRaCertificate({ ...request, notAfter }), { code: 'lint' });
  });
});
