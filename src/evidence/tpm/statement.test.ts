import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { decode, encode } from 'cborg';
import { type GeneralName, der, extendedKeyUsages, oids } from '#x509';
import type { Examination, Statement } from '../examination.ts';
import { examine } from '../examine.ts';
import { rocaKeyPair } from '../weak-key.fixture.ts';
import { nameOf } from './algorithms.ts';
import type { TpmClaims } from './claims.ts';
import {
  type Recipe,
  certify,
  defaultKeys,
  eccKey,
  encodeObject,
  hardwareModule,
  makeObject,
  makeParts,
  nonce,
  permanentIdentifier,
  root,
  rsaKey,
  tpmName,
  wrap,
} from './statement.fixture.ts';
import {
  attestTypes,
  curveIds,
  encodeEccPublic,
  encodeRsaPublic,
  ids,
  join,
  plainFields,
  signingKey,
  u8,
} from './structures.fixture.ts';

const toBeSigned = { toBeSigned: nonce, token: Buffer.from('token') };
const rsaAttestationKey = rsaKey();
const restricted = '2.23.133.11.1.3';

function examined(recipe: Partial<Recipe>, changed?: Readonly<Record<string, unknown>>): Examination {
  return examine({ envelope: 'attestation-object', bytes: makeObject(recipe, changed) }, toBeSigned);
}

function statementOf({ fault, statement }: Examination): Statement & { readonly claims: TpmClaims } {
  assert.equal(fault, null);
  const { claims } = statement!;
  assert.ok(claims.format === 'tpm' || claims.format === 'idevid');
  return { ...statement!, claims };
}

function faultOf({ fault, statement }: Examination): string | undefined {
  assert.equal(statement, null);
  return fault?.check;
}

suite('what a TPM statement says (WebAuthn Level 3 section 8.3)', () => {
  const attestationKey = createHash('sha256').update(defaultKeys.attestation.spki).digest('hex');

  test('of a key in order', () => {
    const examination = examined({
      certificate: { names: [tpmName(), permanentIdentifier('device-1', '1.2.3')] },
    });
    assert.deepEqual(statementOf(examination), {
      spki: createHash('sha256').update(defaultKeys.attested.spki).digest('hex'),
      fresh: true,
      identities: { attestationKey, permanentIdentifier: { value: 'device-1', assigner: '1.2.3' } },
      claims: {
        format: 'tpm',
        statement: 'attestation-object',
        hash: 'sha256',
        signature: 'tpmt',
        attributes: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'sign'],
        authPolicy: null,
        device: { manufacturer: '53544D20', registered: true, model: 'ST33', version: '00010203' },
        firmwareVersion: '0909090909090909',
      },
    });
    assert.equal(examination.format, 'tpm');
    assert.equal(examination.certificates[1], root.toBase64());
  });

  test('names no device but by its key where the certificate does not', () => {
    assert.deepEqual(statementOf(examined({})).identities, { attestationKey });
    const assignerAlone = { certificate: { names: [tpmName(), permanentIdentifier(null, '1.2.3')] } };
    assert.deepEqual(statementOf(examined(assignerAlone)).identities, { attestationKey });
  });

  test('names no endorsement key where the certificate names two', () => {
    const endorsementKeyOf = (...digests: readonly Uint8Array[]) => {
      const uris = digests.map(
        (each) => ({ kind: 'uri', value: `urn:ek:sha256:${each.toBase64()}` }) as const,
      );
      return statementOf(examined({ certificate: { names: [tpmName(), ...uris] } })).identities
        .endorsementKey;
    };
    assert.equal(endorsementKeyOf(new Uint8Array(32)), '00'.repeat(32));
    assert.equal(endorsementKeyOf(new Uint8Array(32), new Uint8Array(32).fill(1)), undefined);
  });

  for (const [what, recipe, changed] of [
    ['an RSA key', { attestationKey: rsaAttestationKey }, { hash: 'sha256' }],
    ['an RSA key with SHA-1', { attestationKey: rsaAttestationKey, hash: 'sha1' }, { hash: 'sha1' }],
    ['an RSA key with SHA-512', { attestationKey: rsaAttestationKey, hash: 'sha512' }, { hash: 'sha512' }],
    ['RSASSA-PSS', { attestationKey: rsaAttestationKey, scheme: 'rsapss' }, {}],
    [
      'RSASSA-PSS, the longest salt',
      { attestationKey: rsaAttestationKey, scheme: 'rsapss', saltLength: 222 },
      {},
    ],
    ['a P-384 key', { attestationKey: eccKey('P-384'), hash: 'sha384' }, { hash: 'sha384' }],
    ['a P-521 key', { attestationKey: eccKey('P-521'), hash: 'sha512' }, { hash: 'sha512' }],
  ] as const) {
    for (const form of ['raw', 'tpmt'] as const) {
      test(`signed with ${what}, ${form}`, () => {
        const { claims, fresh } = statementOf(examined({ ...recipe, form }));
        assert.deepEqual({ ...claims, ...changed, signature: form }, claims);
        assert.equal(fresh, true);
      });
    }
  }

  for (const [what, key] of [
    ['RSA', rsaKey()],
    ['P-384', eccKey('P-384')],
    ['P-521', eccKey('P-521')],
  ] as const) {
    test(`the attested key as certificates have it: ${what}`, () => {
      const { spki } = statementOf(examined({ publicArea: key.publicArea() }));
      assert.equal(spki, createHash('sha256').update(key.spki).digest('hex'));
    });
  }

  test('attributes that say how the key is used, and its policy', () => {
    const authPolicy = new Uint8Array(32).fill(0xab);
    // noDA and decrypt as well.
    const publicArea = defaultKeys.attested.publicArea({ attributes: signingKey | 0x0002_0400, authPolicy });
    const { claims } = statementOf(examined({ publicArea }));
    assert.ok(claims.attributes.includes('noDA') && claims.attributes.includes('decrypt'));
    assert.equal(claims.authPolicy, 'ab'.repeat(32));
  });

  test('a key whose name has another hash', () => {
    const publicArea = defaultKeys.attested.publicArea({ nameAlg: ids.sha384 });
    assert.equal(statementOf(examined({ publicArea, nameAlg: 'sha384' })).fresh, true);
  });

  test('a manufacturer that TCG does not know', () => {
    const { claims } = statementOf(
      examined({ certificate: { names: [tpmName({ manufacturer: 'id:00001014' })] } }),
    );
    assert.deepEqual(claims.device, {
      manufacturer: '00001014',
      registered: false,
      model: 'ST33',
      version: '00010203',
    });
  });

  for (const [what, usages] of [
    ['', []],
    [', also where it has the extended key usage of others', [extendedKeyUsages.tcgAttestationIdentityKey]],
  ] as const) {
    test(`a key that the device's maker certified is format idevid${what}`, () => {
      const certificate = { usages, policies: [restricted], names: [hardwareModule('SN-1')] };
      const examination = examined({ certificate });
      const { identities, claims } = statementOf(examination);
      const hardwareModuleName = { type: '2.23.133.1.2', serialNumber: 'SN-1' };
      assert.deepEqual(identities, { attestationKey, hardwareModule: hardwareModuleName });
      assert.equal(examination.format, 'idevid');
      assert.equal(claims.format, 'idevid');
      assert.equal(claims.device, null);
    });
  }

  test('a serial number that is no text', () => {
    const certificate = { names: [tpmName(), hardwareModule(Uint8Array.of(0, 255))] };
    assert.equal(statementOf(examined({ certificate })).identities.hardwareModule?.serialNumber, 'hex:00ff');
  });
});

suite('freshness', () => {
  const answer = (attest: Recipe['attest'], given: typeof toBeSigned | null = toBeSigned) => {
    const bytes = makeObject({ attest });
    return statementOf(examine({ envelope: 'attestation-object', bytes }, given)).fresh;
  };

  test('null where no nonce was given', () => assert.equal(answer({}, null), null));

  test('false for another nonce, the nonce itself, and none', () => {
    assert.equal(answer({}, { ...toBeSigned, toBeSigned: Buffer.from('another') }), false);
    assert.equal(answer({ extraData: nonce }), false);
    assert.equal(answer({ extraData: new Uint8Array() }), false);
  });

  test('false for the digest by another hash than the signature has', () => {
    const extraData = createHash('sha384').update(nonce).digest();
    assert.equal(answer({ extraData }), false);
  });
});

const attributesWithout = (bit: number) => ({
  publicArea: defaultKeys.attested.publicArea({ attributes: signingKey & ~(1 << bit) }),
});

const weak = {
  'RSA of 1024 bits': rsaKey(1024).publicArea(),
  'RSA with the exponent 3': rsaKey(2048, 3).publicArea(),
  'RSA with the exponent 65539': rsaKey(2048, 65_539).publicArea(),
  "RSA of Infineon's generator": encodeRsaPublic(plainFields, rocaModulus()),
  'a point off its curve': encodeEccPublic(plainFields, curveIds['P-256'], [
    new Uint8Array(32).fill(1),
    new Uint8Array(32).fill(2),
  ]),
};

function rocaModulus(): Uint8Array {
  const { n = '' } = rocaKeyPair().privateKey.export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(n, 'base64url'));
}

function identifierOf(...fields: readonly Uint8Array[]): GeneralName {
  return { kind: 'otherName', type: '1.3.6.1.5.5.7.8.3', value: der.sequence(...fields).toBase64() };
}

const modelAlone: GeneralName = {
  kind: 'directoryName',
  value: [[{ type: oids.tpmModel, value: 'ST33', encoding: 'utf8' }]],
};

/** Each breaks one rule and no other. */
const refused: Readonly<Record<string, readonly [check: string, Partial<Recipe>]>> = {
  'an attestation that no TPM made': ['tpm-magic', { attest: { magic: 0xff544348 } }],
  'an attestation of something else': ['tpm-type', { attest: { type: attestTypes.creation } }],
  'an attestation of another key': [
    'tpm-name',
    { attest: { name: nameOf('sha256', eccKey().publicArea()) } },
  ],
  'a name of another hash': ['tpm-name', { nameAlg: 'sha384' }],
  'a key that may leave the TPM': ['tpm-fixed-tpm', attributesWithout(1)],
  'a key that may have another parent': ['tpm-fixed-parent', attributesWithout(4)],
  'a key that was made elsewhere': ['tpm-sensitive-data-origin', attributesWithout(5)],
  'a key that signs nothing': ['tpm-sign', attributesWithout(18)],
  'a key that signs only what the TPM made': [
    'tpm-restricted',
    { publicArea: defaultKeys.attested.publicArea({ attributes: signingKey | (1 << 16) }) },
  ],
  ...Object.fromEntries(
    Object.entries(weak).map(([what, publicArea]) => [what, ['tpm-key', { publicArea }] as const]),
  ),
  'an attestation key of 1024 bits': ['tpm-certificate-key', { attestationKey: rsaKey(1024) }],
  'an attestation key with the exponent 3': ['tpm-certificate-key', { attestationKey: rsaKey(2048, 3) }],
  "a CA's certificate": ['tpm-certificate-ca', { certificate: { ca: true } }],
  'a certificate for no signatures': [
    'tpm-certificate-key-usage',
    { certificate: { keyUsage: ['keyEncipherment'] } },
  ],
  'a certificate for something else': [
    'tpm-certificate-usage',
    { certificate: { usages: [extendedKeyUsages.clientAuth] } },
  ],
  'a certificate for any purpose': [
    'tpm-certificate-usage',
    { certificate: { usages: [extendedKeyUsages.anyExtendedKeyUsage] } },
  ],
  'a certificate without a TPM': ['tpm-certificate-san', { certificate: { names: [] } }],
  'a certificate with two manufacturers': [
    'tpm-certificate-san',
    { certificate: { names: [tpmName(), tpmName({ manufacturer: 'id:494E5443' })] } },
  ],
  'a manufacturer that is no id': [
    'tpm-certificate-san',
    { certificate: { names: [tpmName({ manufacturer: '53544D20' })] } },
  ],
  'a certificate with two models': [
    'tpm-certificate-san',
    { certificate: { names: [tpmName(), modelAlone] } },
  ],
  'a version that is none': [
    'tpm-certificate-san',
    { certificate: { names: [tpmName({ version: '00010203' })] } },
  ],
  'a maker that does not say that the key is restricted': [
    'tpm-certificate-restricted',
    { certificate: { usages: [], names: [hardwareModule('SN-1')] } },
  ],
  'a maker that says something else of the key': [
    'tpm-certificate-restricted',
    { certificate: { usages: [], policies: ['2.23.133.11.1.2'], names: [hardwareModule('SN-1')] } },
  ],
  'two permanent identifiers': [
    'malformed',
    { certificate: { names: [tpmName(), permanentIdentifier('a'), permanentIdentifier('b')] } },
  ],
  'an empty permanent identifier': [
    'malformed',
    { certificate: { names: [tpmName(), permanentIdentifier('')] } },
  ],
  'a permanent identifier that is not UTF-8': [
    'malformed',
    { certificate: { names: [tpmName(), identifierOf(Uint8Array.of(0x0c, 1, 0xff))] } },
  ],
  'a permanent identifier that goes on': [
    'malformed',
    { certificate: { names: [tpmName(), identifierOf(der.utf8String('a'), der.null())] } },
  ],
  'two hardware modules': [
    'malformed',
    { certificate: { names: [tpmName(), hardwareModule('a'), hardwareModule('b')] } },
  ],
  'ECDSA with SHA-1': ['unsupported', { hash: 'sha1' }],
  'an octet after the attestation': ['malformed', { attest: { trailing: u8(0) } }],
  'an octet after the public area': [
    'malformed',
    { publicArea: join(defaultKeys.attested.publicArea(), u8(0)) },
  ],
  'a public area whose name has SHA-1': [
    'unsupported',
    { publicArea: defaultKeys.attested.publicArea({ nameAlg: ids.sha1 }) },
  ],
};

suite('refused, and for that alone', () => {
  for (const [what, [check, recipe]] of Object.entries(refused)) {
    test(`${what}: ${check}`, () => assert.equal(faultOf(examined(recipe)), check));
  }

  const { x5c, attest, signature } = makeParts();
  const other = eccKey();
  for (const [what, check, changed] of [
    ['another version', 'tpm-version', { ver: '1.2' }],
    ['no version', 'malformed', { ver: null }],
    ['a member that is not known', 'malformed', { response: attest }],
    ['another hash than the signature has', 'tpm-algorithm', { alg: -35 }],
    ['an algorithm of no TPM', 'unsupported', { alg: -8 }],
    ['an algorithm that is no integer', 'malformed', { alg: '-7' }],
    ['a changed attestation', 'tpm-signature', { certInfo: attest.with(20, 1) }],
    [
      "another attestation's signature",
      'tpm-signature',
      { sig: makeParts({ attest: { safe: 0 } }).signature },
    ],
    ["another key's certificate", 'tpm-signature', { x5c: [certify({ spki: other.spki }), root] }],
    ['no certificate', 'malformed', { x5c: [] }],
    ['the certificates in another order', 'tpm-signature', { x5c: x5c.toReversed() }],
    ['a signature with an octet after it', 'malformed', { sig: join(signature, u8(0)) }],
    ['another public area', 'tpm-name', { pubArea: other.publicArea() }],
    ['no public area', 'malformed', { pubArea: new Uint8Array() }],
  ] as const) {
    test(`${what}: ${check}`, () => {
      const bytes = encodeObject({ ...makeParts(), x5c, attest, signature }, changed);
      assert.equal(faultOf(examine({ envelope: 'attestation-object', bytes }, toBeSigned)), check);
    });
  }

  for (const fmt of ['fido-u2f', 'idevid', 'constructor', '']) {
    test(`fmt ${JSON.stringify(fmt)}: format`, () => {
      const { attStmt } = decode(makeObject()) as { attStmt: unknown };
      const bytes = encode({ fmt, attStmt });
      const examination = examine({ envelope: 'attestation-object', bytes }, toBeSigned);
      assert.equal(faultOf(examination), 'format');
      assert.equal(examination.format, fmt === '' ? null : 'external');
    });
  }

  // step names in `alg` the algorithm of the attested key (test/interop/step.test.ts).
  test('but no TPMT_SIGNATURE of another scheme than alg says: it names its own', () => {
    assert.equal(statementOf(examined({}, { alg: -257 })).fresh, true);
    const rsa = { attestationKey: rsaAttestationKey };
    assert.equal(statementOf(examined(rsa, { alg: -7 })).fresh, true);
    assert.equal(faultOf(examined(rsa, { alg: -36 })), 'tpm-algorithm');
  });

  test('a raw signature of another algorithm than alg says', () => {
    const rsa = { attestationKey: rsaAttestationKey, form: 'raw' } as const;
    assert.equal(faultOf(examined(rsa, { alg: -258 })), 'tpm-signature');
    assert.equal(faultOf(examined(rsa, { alg: -37 })), 'tpm-signature');
    assert.equal(faultOf(examined({ form: 'raw' }, { alg: -257 })), 'tpm-signature');
  });

  test('SHA-1 but by RSASSA', () => {
    const rsa = { attestationKey: rsaAttestationKey, hash: 'sha1' } as const;
    const sig = wrap('rsapss', 'sha1', makeParts({ ...rsa, form: 'raw' }).signature);
    assert.equal(faultOf(examined(rsa, { sig })), 'tpm-signature');
  });

  test('a signature that is both forms', () => {
    const parts = makeParts({ form: 'raw' });
    const sig = wrap('ecdsa', 'sha256', parts.signature);
    const twice = der.sequence(der.octetString(sig));
    assert.equal(faultOf(examined({}, { sig: twice })), 'tpm-signature');
  });
});
