import { generateSoftwareKey, type KeyAlgorithm } from '#keys';
import {
  extensionOids,
  keyIdentifier,
  parseAuthorityInfoAccess,
  parseBasicConstraints,
  parseCertificatePolicies,
  parseCrlDistributionPoints,
  parseTbsCertificate,
} from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleAuthority, examplePlan, template } from './example-authority.fixture.ts';
import { buildTbs, type IssuePlan } from './tbs.ts';

const { issuer } = await exampleAuthority();
const key = await generateSoftwareKey('ec-p256');

function built(changes: Partial<IssuePlan> = {}): ReturnType<typeof parseTbsCertificate> {
  return parseTbsCertificate(buildTbs(examplePlan(key.spki, changes), issuer));
}

function extension(certificate: ReturnType<typeof built>, name: keyof typeof extensionOids) {
  return certificate.extensions.find(({ oid }) => oid === extensionOids[name]);
}

test('the extensions of RFC 5280 section 4.2, critical where they must be', () => {
  const certificate = built();
  const criticality = Object.fromEntries(certificate.extensions.map(({ oid, critical }) => [oid, critical]));
  assert.deepEqual(criticality, {
    [extensionOids.keyUsage]: true,
    [extensionOids.basicConstraints]: true,
    [extensionOids.extendedKeyUsage]: false,
    [extensionOids.certificatePolicies]: false,
    '1.3.6.1.4.1.32473.24': false,
    [extensionOids.subjectKeyIdentifier]: false,
    [extensionOids.authorityKeyIdentifier]: false,
    [extensionOids.subjectAltName]: false,
    [extensionOids.crlDistributionPoints]: false,
    [extensionOids.authorityInfoAccess]: false,
  });
});

test('an end entity, with the identifiers of both keys', () => {
  const certificate = built();
  const constraints = extension(certificate, 'basicConstraints');
  assert.ok(constraints);
  assert.deepEqual(parseBasicConstraints(constraints.value), { ca: false });
  assert.deepEqual(constraints.value, Uint8Array.of(0x30, 0), 'cA is left out, as DER leaves out defaults');
  assert.deepEqual(certificate.subjectKeyIdentifier, keyIdentifier(key.spki));
  assert.deepEqual(certificate.authorityKeyIdentifier, issuer.certificate.subjectKeyIdentifier);
});

test('the extensions of the template, with its values', () => {
  const own = { oid: '1.3.6.1.4.1.32473.7', critical: true, value: '0c0161' };
  const found = built({ template: { ...template, extensions: [own] } }).extensions.at(4);
  assert.deepEqual(found, { ...own, value: Uint8Array.of(0x0c, 1, 0x61) });
});

test('SAN is critical if, and only if, the subject is empty (RFC 5280 section 4.2.1.6)', () => {
  assert.equal(extension(built({ subject: [] }), 'subjectAltName')?.critical, true);
  assert.equal(extension(built(), 'subjectAltName')?.critical, false);
  assert.equal(extension(built({ subjectAltName: [] }), 'subjectAltName'), undefined);
});

test('distribution points, authority information and policies appear where there are any', () => {
  const certificate = built();
  assert.deepEqual(
    parseCrlDistributionPoints(extension(certificate, 'crlDistributionPoints')?.value ?? key.spki),
    ['http://ca.example.org/devices.crl'],
  );
  assert.deepEqual(
    parseAuthorityInfoAccess(extension(certificate, 'authorityInfoAccess')?.value ?? key.spki),
    {
      caIssuers: ['http://ca.example.org/devices.cer'],
      ocsp: [],
    },
  );
  assert.deepEqual(
    parseCertificatePolicies(extension(certificate, 'certificatePolicies')?.value ?? key.spki),
    template.policies,
  );
  const bare = built({ crlUrls: [], caIssuersUrls: [], template: { ...template, policies: [] } });
  for (const name of ['crlDistributionPoints', 'authorityInfoAccess', 'certificatePolicies'] as const) {
    assert.equal(extension(bare, name), undefined, name);
  }
});

test("key usage is the template's, less what the key cannot do", async () => {
  const expected: [KeyAlgorithm, string[]][] = [
    ['ec-p256', ['digitalSignature']],
    ['rsa-2048', ['digitalSignature', 'keyEncipherment']],
    ['ml-dsa-44', ['digitalSignature']],
  ];
  for (const [algorithm, usages] of expected) {
    const { spki } = await generateSoftwareKey(algorithm);
    assert.deepEqual(built({ spki }).keyUsage, usages, algorithm);
  }
});

test('plans with the same template and lists of URLs do not share what differs', async () => {
  const plan = examplePlan(key.spki);
  const { spki } = await generateSoftwareKey('rsa-2048');
  const { issuer: other } = await exampleAuthority();
  buildTbs(plan, issuer);
  const certificate = parseTbsCertificate(buildTbs({ ...plan, spki }, other));
  assert.deepEqual(certificate.subjectKeyIdentifier, keyIdentifier(spki));
  assert.deepEqual(certificate.authorityKeyIdentifier, other.certificate.subjectKeyIdentifier);
  assert.deepEqual(certificate.keyUsage, ['digitalSignature', 'keyEncipherment']);
});
