import { generateSoftwareKey } from '#keys';
import {
  buildName,
  encodeAuthorityInfoAccess,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeCrlDistributionPoints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeName,
  encodePermanentIdentifier,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
  encodeTbsCertificate,
  extendedKeyUsages,
  type Extension,
  extensionOids,
  oids,
  sidUriPrefix,
  type TbsCertificateFields,
} from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attestationKeyNames } from '../attestation-key-names.ts';
import { day, exampleAuthority, examplePlan, noon, template } from '../example-authority.fixture.ts';
import { lintFindings } from '../lint.ts';
import { type IssuePlan, tbsFields } from '../tbs.ts';
import type { Template } from '../template.ts';
import { lintRules } from './rules.ts';

const { issuer } = await exampleAuthority();
const key = await generateSoftwareKey('ec-p256');
const otherKey = await generateSoftwareKey('ec-p256');
const commonName = (value: string) => buildName([{ type: 'commonName', value }]);

const tpm = {
  manufacturer: '53544D20',
  model: 'ST33',
  version: '00010203',
  endorsementKey: 'ab'.repeat(32),
};
const activated = attestationKeyNames('sensor-7', tpm).subjectAltName;
const forActivated: Partial<Template> = {
  authentication: ['endorsement'],
  extendedKeyUsage: [extendedKeyUsages.tcgAttestationIdentityKey],
};

const devices = ['sensor-7', 'sensor-8'].map((id) => encodePermanentIdentifier(id));
const forDevices: Partial<Template> = {
  acme: {
    challenges: ['device-attest-01'],
    embedIdentifier: true,
    networks: [],
    caa: null,
    orderSeconds: 3600,
    authorizationSeconds: 3600,
  },
};

/** What breaks a rule: a plan that is built as it stands, or fields that are not those of the plan. */
interface Breach {
  readonly plan?: Partial<IssuePlan>;
  readonly template?: Partial<Template>;
  readonly fields?: (fields: TbsCertificateFields) => Partial<TbsCertificateFields>;
}

/** The fields with one extension changed; null takes it away. */
function changed(
  name: keyof typeof extensionOids,
  change: (extension: Extension) => Partial<Extension> | null,
): NonNullable<Breach['fields']> {
  return ({ extensions }) => ({
    extensions: extensions.flatMap((extension) => {
      if (extension.oid !== extensionOids[name]) return [extension];
      const changes = change(extension);
      return changes === null ? [] : [{ ...extension, ...changes }];
    }),
  });
}

const uncritical = { critical: false };
const critical = { critical: true };

/** For each rule the ways in which it, and only it, is broken. */
const breaches: Readonly<Record<string, readonly Breach[]>> = {
  'serial-number': [
    { plan: { serialNumber: '01' } },
    { plan: { serialNumber: '7f'.repeat(16) } },
    { plan: { serialNumber: 'ff'.repeat(20) } },
  ],
  'serial-number-as-planned': [{ fields: () => ({ serialNumber: '41'.repeat(20) }) }],
  'signature-algorithm': [{ fields: () => ({ signatureAlgorithm: 'ec-p384' }) }],
  'attestation-key': [
    { template: { extendedKeyUsage: [extendedKeyUsages.tcgAttestationIdentityKey] } },
    { template: { authentication: ['endorsement'] }, plan: { subjectAltName: activated } },
  ],
  'issuer-name': [{ fields: () => ({ issuer: encodeName(commonName('Issuer of Devices')) }) }],
  validity: [
    { plan: { notBefore: noon + 2 * day, notAfter: noon + day } },
    { plan: { notBefore: noon, notAfter: noon } },
  ],
  'validity-as-planned': [
    { fields: ({ notBefore }) => ({ notBefore: notBefore - 1000 }) },
    { fields: ({ notAfter }) => ({ notAfter: notAfter - 1000 }) },
  ],
  'validity-within-issuer': [
    { plan: { notBefore: noon - 2 * day, notAfter: noon + day } },
    { plan: { notAfter: noon + 2000 * day }, template: { validitySeconds: 2000 * 86_400 } },
  ],
  'validity-of-template': [{ plan: { notAfter: noon + 31 * day } }],
  'subject-present': [{ plan: { subject: [], subjectAltName: [] } }],
  'subject-as-planned': [
    { fields: () => ({ subject: commonName('sensor-8') }) },
    { fields: ({ subject }) => ({ subject: subject.toReversed() }) },
  ],
  'subject-not-issuer': [{ plan: { subject: issuer.certificate.subject } }],
  'subject-values': [
    { plan: { subject: commonName('x'.repeat(65)) } },
    { plan: { subject: commonName('a\u202eb') } },
    { plan: { subject: [[{ type: '2.5.4.3', value: 'a', encoding: 'teletex' }]] } },
    { plan: { subject: [[{ type: '2.5.4.5', value: 'a', encoding: 'utf8' }]] } },
  ],
  'key-as-planned': [
    { fields: ({ serialNumber }) => tbsFields(examplePlan(otherKey.spki, { serialNumber }), issuer) },
  ],
  'key-algorithm': [{ template: { keyAlgorithms: ['ec-p384', 'rsa-2048'] } }],
  'key-not-issuers': [{ plan: { spki: issuer.key.spki } }],
  'extensions-known': [
    {
      fields: ({ extensions }) => ({
        extensions: [...extensions, { oid: oids.msSid, critical: false, value: Uint8Array.of(0x30, 0) }],
      }),
    },
  ],
  'extensions-of-template': [{ value: Uint8Array.of(0x30, 3, 2, 1, 17) }, critical, null].map((change) => ({
    fields: ({ extensions }: TbsCertificateFields) => ({
      extensions: extensions.flatMap((extension) => {
        if (extension.oid !== template.extensions[0]!.oid) return [extension];
        return change === null ? [] : [{ ...extension, ...change }];
      }),
    }),
  })),
  'basic-constraints': [
    { fields: changed('basicConstraints', () => ({ value: encodeBasicConstraints({ ca: true }) })) },
    { fields: changed('basicConstraints', () => uncritical) },
    { fields: changed('basicConstraints', () => null) },
  ],
  'key-usage': [
    {
      fields: changed('keyUsage', () => ({ value: encodeKeyUsage(['digitalSignature', 'nonRepudiation']) })),
    },
    {
      fields: changed('keyUsage', () => ({ value: encodeKeyUsage(['digitalSignature', 'keyEncipherment']) })),
    },
    { fields: changed('keyUsage', () => uncritical) },
  ],
  'key-usage-end-entity': [
    { template: { keyUsage: ['digitalSignature', 'keyCertSign'] } },
    { template: { keyUsage: ['digitalSignature', 'cRLSign'] } },
  ],
  'key-usage-serves-purpose': [{ template: { keyUsage: ['nonRepudiation'] } }],
  'extended-key-usage': [
    {
      fields: changed('extendedKeyUsage', () => ({
        value: encodeExtendedKeyUsage([extendedKeyUsages.serverAuth]),
      })),
    },
    { fields: changed('extendedKeyUsage', () => critical) },
    { fields: changed('extendedKeyUsage', () => null) },
  ],
  'extended-key-usage-specific': [
    { template: { extendedKeyUsage: [extendedKeyUsages.clientAuth, extendedKeyUsages.anyExtendedKeyUsage] } },
  ],
  'subject-key-identifier': [
    {
      fields: changed('subjectKeyIdentifier', () => ({
        value: encodeSubjectKeyIdentifier(new Uint8Array(20)),
      })),
    },
    { fields: changed('subjectKeyIdentifier', () => critical) },
    { fields: changed('subjectKeyIdentifier', () => null) },
  ],
  'authority-key-identifier': [
    {
      fields: changed('authorityKeyIdentifier', () => ({
        value: encodeAuthorityKeyIdentifier(new Uint8Array(20)),
      })),
    },
    { fields: changed('authorityKeyIdentifier', () => critical) },
    { fields: changed('authorityKeyIdentifier', () => null) },
  ],
  'subject-alt-name-as-planned': [
    {
      fields: changed('subjectAltName', () => ({
        value: encodeSubjectAltName([{ kind: 'dns', value: 'a.test' }]),
      })),
    },
    { fields: changed('subjectAltName', () => null) },
  ],
  'subject-alt-name-critical': [
    { fields: changed('subjectAltName', () => critical) },
    { plan: { subject: [] }, fields: changed('subjectAltName', () => uncritical) },
  ],
  'subject-alt-name-values': [
    { plan: { subjectAltName: [{ kind: 'dns', value: '*.example.org' }] } },
    { plan: { subjectAltName: [{ kind: 'dns', value: 'Sensor.example.org' }] } },
    { plan: { subjectAltName: [{ kind: 'uri', value: '/relative' }] } },
    { plan: { subjectAltName: [{ kind: 'registeredId', value: '1.2.3' }] } },
    { plan: { subjectAltName: activated } },
    { plan: { subjectAltName: devices.slice(1) } },
    { template: forDevices, plan: { subjectAltName: devices } },
    ...[
      activated.slice(0, 2),
      [...activated, { kind: 'dns', value: 'sensor-7.example.org' } as const],
      activated.with(2, { kind: 'uri', value: 'urn:ek:sha256:AA==' }),
      activated.with(1, { kind: 'directoryName', value: commonName('ST33') }),
      activated.toReversed(),
    ].map((subjectAltName) => ({ template: forActivated, plan: { subject: [], subjectAltName } })),
  ],
  'subject-alt-name-sid': [
    { plan: { subjectAltName: [{ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-500` }] } },
  ],
  'certificate-policies': [
    { fields: changed('certificatePolicies', () => ({ value: encodeCertificatePolicies(['2.5.29.32.0']) })) },
    { fields: changed('certificatePolicies', () => critical) },
    { fields: changed('certificatePolicies', () => null) },
  ],
  'crl-distribution-points': [
    {
      fields: changed('crlDistributionPoints', () => ({
        value: encodeCrlDistributionPoints(['http://evil.test/']),
      })),
    },
    { fields: changed('crlDistributionPoints', () => critical) },
    { fields: changed('crlDistributionPoints', () => null) },
  ],
  'authority-info-access': [
    {
      fields: changed('authorityInfoAccess', () => ({
        value: encodeAuthorityInfoAccess({
          caIssuers: ['http://ca.example.org/devices.cer'],
          ocsp: ['http://a.test/'],
        }),
      })),
    },
    { fields: changed('authorityInfoAccess', () => critical) },
    { fields: changed('authorityInfoAccess', () => null) },
  ],
};

function findings({
  plan: changes = {},
  template: templateChanges = {},
  fields = () => ({}),
}: Breach): string[] {
  const plan = { ...examplePlan(key.spki, changes), template: { ...template, ...templateChanges } };
  const built = tbsFields(plan, issuer);
  return lintFindings(encodeTbsCertificate({ ...built, ...fields(built) }), plan, issuer).map(
    ({ rule }) => rule,
  );
}

test('what is built as planned breaks no rule', () => {
  assert.deepEqual(findings({}), []);
  assert.deepEqual(findings({ plan: { subject: [] } }), []);
  assert.deepEqual(findings({ plan: { subjectAltName: [], crlUrls: [], caIssuersUrls: [] } }), []);
  assert.deepEqual(findings({ template: { policies: [] } }), []);
  assert.deepEqual(
    findings({ template: forActivated, plan: { subject: [], subjectAltName: activated } }),
    [],
  );
});

test('a device may be named by its hardware where the template says so', () => {
  assert.deepEqual(findings({ template: forDevices, plan: { subjectAltName: devices.slice(1) } }), []);
});

for (const { id, source } of lintRules) {
  test(`${id} (${source}) is broken alone`, () => {
    const ways = breaches[id];
    assert.ok(ways, 'every rule has a breach');
    ways.forEach((breach, index) => assert.deepEqual(findings(breach), [id], `breach ${index}`));
  });
}

test('rules have ids of their own', () => {
  assert.deepEqual(lintRules.map(({ id }) => id).toSorted(), Object.keys(breaches).toSorted());
});
