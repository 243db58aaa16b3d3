import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateSoftwareKey } from '#keys';
import { extendedKeyUsages, extensionOids, type GeneralName, verifyCertificateSignature } from '#x509';
import { day, exampleAuthority, noon, serialNumber } from './example-authority.fixture.ts';
import { signListenerCertificate } from './listener-certificate.ts';

describe('the certificate of a listener', () => {
  const names: GeneralName[] = [
    { kind: 'dns', value: 'ca.example.org' },
    { kind: 'ip', value: '10.0.0.5' },
  ];
  const requested = async (algorithm: 'rsa-2048' | 'ec-p256' | 'ed25519' = 'ec-p256') => ({
    issuer: (await exampleAuthority()).issuer,
    subjectAltName: names,
    spki: (await generateSoftwareKey(algorithm)).spki,
    serialNumber: serialNumber(),
    notBefore: noon,
    notAfter: noon + 90 * day,
    crlUrls: [],
    caIssuersUrls: [],
  });

  test('is for a TLS server of these names, and good for nothing else', async () => {
    for (const algorithm of ['ec-p256', 'rsa-2048', 'ed25519'] as const) {
      const request = await requested(algorithm);
      const certificate = await signListenerCertificate(request);
      assert.deepEqual(certificate.keyUsage, ['digitalSignature']);
      assert.deepEqual(certificate.extendedKeyUsage, [extendedKeyUsages.serverAuth]);
      assert.equal(certificate.isCa, false);
      assert.deepEqual(certificate.subjectAltName, names);
      assert.ok(verifyCertificateSignature(certificate, request.issuer.certificate.spki));
    }
  });

  test('has no subject, and so names that are critical (RFC 5280 section 4.2.1.6)', async () => {
    const { subject, extensions } = await signListenerCertificate(await requested());
    assert.deepEqual(subject, []);
    assert.equal(extensions.find(({ oid }) => oid === extensionOids.subjectAltName)?.critical, true);
  });

  const strange: [name: string, names: GeneralName[]][] = [
    ['no name', []],
    ['a wildcard', [{ kind: 'dns', value: '*.example.org' }]],
    ['a host that is none', [...names, { kind: 'dns', value: 'ca_1.example.org' }]],
    ['a mail address', [{ kind: 'email', value: 'ca@example.org' }]],
    ['a URI', [{ kind: 'uri', value: 'https://ca.example.org/' }]],
  ];
  for (const [name, subjectAltName] of strange) {
    test(`is not issued for ${name}`, async () => {
      await assert.rejects(signListenerCertificate({ ...(await requested()), subjectAltName }), {
        code: 'lint',
      });
    });
  }

  test("is not issued for the issuer's own key", async () => {
    const request = await requested();
    const { spki } = request.issuer.key;
    await assert.rejects(signListenerCertificate({ ...request, spki }), {
      code: 'lint',
      message: /key-not-issuers/,
    });
  });

  test('does not outlive its issuer', async () => {
    const request = await requested();
    const notAfter = request.issuer.certificate.notAfter + day;
    await assert.rejects(signListenerCertificate({ ...request, notAfter }), { code: 'lint' });
  });
});
