import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { extendedKeyUsages } from '#x509';
import { activate } from './activate.fixture.ts';
import { type NameHash, type TpmHash, digest, nameOf } from './algorithms.ts';
import type { Creation } from './attestation-key.ts';
import { type ActivationRequest, examineActivation, makeCredential } from './credential-activation.ts';
import { kdfa, kdfe } from './kdf.ts';
import { encryptOaep } from './oaep.ts';
import { parsePublic } from './public-area.ts';
import {
  type CertificateSettings,
  type SoftwareKey,
  certify,
  eccKey,
  rsaKey,
  wrap,
} from './statement.fixture.ts';
import {
  type AttestFields,
  type PublicFields,
  aes,
  attestTypes,
  attestationKey,
  encodeAttest,
  encodeCreationData,
  endorsementKey,
  hashId,
  ids,
  join,
  scheme,
  u8,
} from './structures.fixture.ts';

const ek = eccKey();
const ak = eccKey();
const akFields = { attributes: attestationKey, scheme: scheme(ids.ecdsa, ids.sha256) };
const akArea = ak.publicArea(akFields);
const ekFields = { attributes: endorsementKey, symmetric: aes(128) };

function certificateOf(key: SoftwareKey, changed: Partial<CertificateSettings> = {}): Uint8Array {
  const keyUsage = key.kind === 'rsa' ? ['keyEncipherment'] : ['keyAgreement'];
  return certify({ spki: key.spki, keyUsage, usages: [extendedKeyUsages.tcgEndorsementKey], ...changed });
}

function request(changed: Partial<ActivationRequest> = {}): ActivationRequest {
  return {
    endorsementCertificate: certificateOf(ek),
    endorsementKey: ek.publicArea(ekFields),
    attestationKey: akArea,
    creation: null,
    ...changed,
  };
}

function keysOf(changed: Partial<ActivationRequest> = {}) {
  const { fault, keys } = examineActivation(request(changed));
  assert.equal(fault, null);
  return keys;
}

/** TPM2_CertifyCreation by the attestation key itself. */
function creation({
  data = encodeCreationData(),
  by = ak,
  hash = 'sha256',
  ...changed
}: Partial<AttestFields> & { data?: Uint8Array; by?: SoftwareKey; hash?: TpmHash } = {}): Creation {
  const attest = encodeAttest({
    type: attestTypes.creation,
    name: nameOf('sha256', akArea),
    more: digest('sha256', encodeCreationData()),
    ...changed,
  });
  const raw = new Uint8Array(sign(hash, attest, by.privateKey));
  return { data, attest, signature: wrap(by.kind === 'rsa' ? 'rsassa' : 'ecdsa', hash, raw) };
}

suite('TPM2_MakeCredential (part 1 section 24)', () => {
  for (const [what, key, bits, nameAlg] of [
    ['RSA with SHA-256 and AES-128', rsaKey(), 128, 'sha256'],
    ['RSA of 3072 bits with SHA-384 and AES-256', rsaKey(3072), 256, 'sha384'],
    ['P-256 with SHA-256 and AES-128', ek, 128, 'sha256'],
    ['P-384 with SHA-384 and AES-256', eccKey('P-384'), 256, 'sha384'],
    ['P-521 with SHA-512 and AES-256', eccKey('P-521'), 256, 'sha512'],
  ] as const satisfies readonly (readonly [string, SoftwareKey, number, NameHash])[]) {
    const publicArea = key.publicArea({ ...ekFields, symmetric: aes(bits), nameAlg: hashId(nameAlg) });
    const sent = { endorsementCertificate: certificateOf(key), endorsementKey: publicArea };

    test(`the endorsement key recovers the secret: ${what}`, () => {
      const { endorsementKey, attestationKey } = keysOf(sent);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 32 }), (value) => {
          const credential = makeCredential(endorsementKey, attestationKey, value, randomBytes);
          assert.deepEqual(activate(key, publicArea, attestationKey.name, credential), value);
        }),
        { numRuns: 10 },
      );
    });

    test(`the same by the template, without the public area: ${what}`, () => {
      const { endorsementKey, attestationKey } = keysOf({ ...sent, endorsementKey: null });
      const value = new Uint8Array(randomBytes(32));
      const credential = makeCredential(endorsementKey, attestationKey, value, randomBytes);
      assert.deepEqual(activate(key, publicArea, attestationKey.name, credential), value);
    });

    test(`not for another attestation key: ${what}`, () => {
      const { endorsementKey, attestationKey } = keysOf(sent);
      const credential = makeCredential(endorsementKey, attestationKey, randomBytes(32), randomBytes);
      const other = nameOf('sha256', eccKey().publicArea(akFields));
      assert.throws(() => activate(key, publicArea, other, credential), /TPM_RC_INTEGRITY/);
    });
  }

  test('the same randomness makes the same credential', () => {
    for (const key of [ek, rsaKey()]) {
      const sent = { endorsementCertificate: certificateOf(key), endorsementKey: key.publicArea(ekFields) };
      const { endorsementKey, attestationKey } = keysOf(sent);
      const make = (fill: number) =>
        makeCredential(endorsementKey, attestationKey, u8(1), (octets) => new Uint8Array(octets).fill(fill));
      assert.deepEqual(make(7), make(7));
      assert.notDeepEqual(make(7), make(8));
    }
  });

  test('a secret that is empty or longer than the hash is a fault of ours', () => {
    const { endorsementKey, attestationKey } = keysOf();
    for (const octets of [0, 33]) {
      const make = () => makeCredential(endorsementKey, attestationKey, new Uint8Array(octets), randomBytes);
      assert.throws(make, (error) => isSallyportError(error, 'internal'));
    }
  });

  test('more than the modulus has room for is a fault of ours', () => {
    const { key } = parsePublic(rsaKey().publicArea());
    assert.ok(key.type === 'rsa');
    for (const [message, seed] of [
      [191, 32],
      [32, 31],
    ] as const) {
      const encrypt = () => encryptOaep(key, 'sha256', u8(0), new Uint8Array(message), new Uint8Array(seed));
      assert.throws(encrypt, (error) => isSallyportError(error, 'internal'));
    }
  });

  test('randomness that makes no private key ends', () => {
    const { endorsementKey, attestationKey } = keysOf();
    const make = () =>
      makeCredential(endorsementKey, attestationKey, u8(1), (octets) => new Uint8Array(octets));
    assert.throws(make, (error) => isSallyportError(error, 'internal'));
  });
});

suite('key derivation', () => {
  const key = new Uint8Array(32).fill(1);
  test('more octets than a block has go on where it ends', () => {
    for (const derive of [kdfa, kdfe]) {
      const long = derive('sha256', key, 'LABEL', u8(2), u8(3), 512);
      assert.equal(long.length, 64);
      assert.notDeepEqual(long.subarray(0, 32), long.subarray(32));
    }
    // Its length is part of what KDFa hashes, and not of what KDFe does.
    const long = kdfe('sha256', key, 'LABEL', u8(2), u8(3), 512);
    assert.deepEqual(kdfe('sha256', key, 'LABEL', u8(2), u8(3), 128), long.subarray(0, 16));
  });
});

const changedEk = (fields: Partial<PublicFields>) => ({
  endorsementKey: ek.publicArea({ ...ekFields, ...fields }),
});
const changedAk = (fields: Partial<PublicFields>) => ({
  attestationKey: ak.publicArea({ ...akFields, ...fields }),
});
const certified = (changed: Partial<CertificateSettings>) => ({
  endorsementCertificate: certificateOf(ek, changed),
});
const rsa1024 = rsaKey(1024);
const secp256k1 = new Uint8Array(
  generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'der', type: 'spki' }),
);
const rsaAk = rsaKey();
const rsaAkArea = rsaAk.publicArea({ ...akFields, scheme: scheme(ids.rsassa, ids.sha256) });

/** Each breaks one rule and no other. */
const refused: Readonly<Record<string, readonly [check: string, Partial<ActivationRequest>]>> = {
  "an endorsement certificate that is a CA's": ['ek-certificate-ca', certified({ ca: true })],
  'an endorsement certificate for something else': [
    'ek-certificate-usage',
    certified({ usages: [extendedKeyUsages.tcgAttestationIdentityKey] }),
  ],
  'an endorsement certificate without any extended key usage': [
    'ek-certificate-usage',
    certified({ usages: [] }),
  ],
  'an endorsement certificate for no encryption': [
    'ek-certificate-key-usage',
    certified({ keyUsage: ['digitalSignature'] }),
  ],
  'another endorsement key than is certified': ['ek-key', { endorsementKey: eccKey().publicArea(ekFields) }],
  'an endorsement key of 1024 bits': [
    'ek-strength',
    { endorsementCertificate: certificateOf(rsa1024), endorsementKey: rsa1024.publicArea(ekFields) },
  ],
  'an endorsement key of 1024 bits, without its public area': [
    'ek-strength',
    { endorsementCertificate: certificateOf(rsa1024), endorsementKey: null },
  ],
  'an endorsement key on a curve of no TPM, without its public area': [
    'ek-strength',
    { ...certified({ spki: secp256k1 }), endorsementKey: null },
  ],
  'an endorsement key that no template is for, without its public area': [
    'ek-template',
    { endorsementCertificate: certificateOf(rsaKey(4096)), endorsementKey: null },
  ],
  'an endorsement key that may leave': [
    'ek-fixed-tpm',
    changedEk({ attributes: endorsementKey & ~(1 << 1) }),
  ],
  'an endorsement key that may move': [
    'ek-fixed-parent',
    changedEk({ attributes: endorsementKey & ~(1 << 4) }),
  ],
  'an endorsement key that was made elsewhere': [
    'ek-sensitive-data-origin',
    changedEk({ attributes: endorsementKey & ~(1 << 5) }),
  ],
  'an endorsement key that decrypts anything': [
    'ek-restricted',
    changedEk({ attributes: endorsementKey & ~(1 << 16) }),
  ],
  'an endorsement key that decrypts nothing': [
    'ek-decrypt',
    changedEk({ attributes: endorsementKey & ~(1 << 17) }),
  ],
  'an endorsement key that signs': ['ek-sign', changedEk({ attributes: endorsementKey | (1 << 18) })],
  'an endorsement key without a cipher': [
    'ek-symmetric',
    changedEk({ symmetric: Uint8Array.of(0, ids.null) }),
  ],
  'an endorsement key named by SHA-1': ['unsupported', changedEk({ nameAlg: ids.sha1 })],
  'an attestation key that may leave': [
    'ak-fixed-tpm',
    changedAk({ attributes: attestationKey & ~(1 << 1) }),
  ],
  'an attestation key that may move': [
    'ak-fixed-parent',
    changedAk({ attributes: attestationKey & ~(1 << 4) }),
  ],
  'an attestation key that was made elsewhere': [
    'ak-sensitive-data-origin',
    changedAk({ attributes: attestationKey & ~(1 << 5) }),
  ],
  'an attestation key that signs anything': [
    'ak-restricted',
    changedAk({ attributes: attestationKey & ~(1 << 16) }),
  ],
  'an attestation key that signs nothing': [
    'ak-sign',
    changedAk({ attributes: attestationKey & ~(1 << 18) }),
  ],
  'an attestation key that decrypts': ['ak-decrypt', changedAk({ attributes: attestationKey | (1 << 17) })],
  'an attestation key without a scheme': ['ak-scheme', changedAk({ scheme: Uint8Array.of(0, ids.null) })],
  'an attestation key that signs with SHA-1': [
    'ak-scheme',
    changedAk({ scheme: scheme(ids.ecdsa, ids.sha1) }),
  ],
  'an attestation key of anonymous signatures': [
    'ak-scheme',
    changedAk({ scheme: join(scheme(ids.ecdaa, ids.sha256), Uint8Array.of(0, 1)) }),
  ],
  'an attestation key of 1024 bits': [
    'ak-strength',
    { attestationKey: rsa1024.publicArea({ ...akFields, scheme: scheme(ids.rsassa, ids.sha256) }) },
  ],
  'a creation that another key signed': ['ak-creation-signature', { creation: creation({ by: ek }) }],
  'a creation that the key signed with SHA-1': [
    'ak-creation-signature',
    {
      attestationKey: rsaAkArea,
      creation: creation({ by: rsaAk, name: nameOf('sha256', rsaAkArea), hash: 'sha1' }),
    },
  ],
  'a creation of another key': [
    'ak-creation-name',
    { creation: creation({ name: nameOf('sha256', ek.publicArea()) }) },
  ],
  'creation data of another creation': [
    'ak-creation-hash',
    { creation: creation({ data: encodeCreationData({ outsideInfo: u8(1) }) }) },
  ],
  'a certification in place of a creation': [
    'tpm-type',
    { creation: creation({ type: attestTypes.certify }) },
  ],
  'a creation that no TPM made': ['tpm-magic', { creation: creation({ magic: 1 }) }],
  'creation data that goes on': [
    'malformed',
    { creation: creation({ data: encodeCreationData({ trailing: u8(0) }) }) },
  ],
  'a certificate that is none': ['malformed', { endorsementCertificate: u8(0) }],
};

suite('keys for an activation', () => {
  test('in order, with and without the creation', () => {
    const { endorsementKey, attestationKey } = keysOf({ creation: creation() });
    assert.deepEqual(attestationKey.spki, ak.spki);
    assert.deepEqual(attestationKey.name, nameOf('sha256', akArea));
    assert.equal(endorsementKey.device?.manufacturer, '53544D20');
    assert.deepEqual(keysOf().attestationKey, attestationKey);
  });

  test('with one bit changed of the attestation key, or of what it says of its creation: none', () => {
    const { data, attest, signature } = creation();
    const honest = { attestationKey: akArea, data, attest, signature };
    for (const [part, octets] of Object.entries(honest)) {
      for (let bit = 0; bit < octets.length * 8; bit += 1) {
        const bytes = new Uint8Array(octets).with(bit >> 3, octets[bit >> 3]! ^ (1 << (bit & 7)));
        const { attestationKey, ...said } = { ...honest, [part]: bytes };
        const { keys } = examineActivation(request({ attestationKey, creation: said }));
        assert.equal(keys, null, `bit ${bit} of ${part} may be either`);
      }
    }
  });

  for (const [what, [check, changed]] of Object.entries(refused)) {
    test(`${what}: ${check}`, () => {
      const { fault, keys } = examineActivation(request(changed));
      assert.equal(fault?.check, check);
      assert.equal(keys, null);
    });
  }
});
