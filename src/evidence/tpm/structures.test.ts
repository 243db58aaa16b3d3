import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type ErrorCode, isSallyportError } from '#errors';
import { type Der, inspectPublicKey } from '#x509';
import { parseAttest } from './attest.ts';
import { parseCreationData } from './creation-data.ts';
import type { ObjectAttribute } from './object-attributes.ts';
import { type TpmtPublic, parsePublic, subjectPublicKeyInfoOf } from './public-area.ts';
import { parseSignature } from './signature.ts';
import { eccKey } from './statement.fixture.ts';
import {
  type PublicFields,
  aes,
  attestTypes,
  curveIds,
  encodeAttest,
  encodeCreationData,
  encodeEccPublic,
  encodeHead,
  encodeRsaPublic,
  encodeSignature,
  endorsementKey,
  ids,
  join,
  plainFields,
  scheme,
  u16,
  u8,
} from './structures.fixture.ts';

function refuses(code: ErrorCode, act: () => unknown): void {
  assert.throws(act, (error) => isSallyportError(error, code), code);
}

const modulus = new Uint8Array(256).fill(0xc1);
const coordinates = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
const ecc = (changed: Partial<PublicFields> = {}, curve: number = curveIds['P-256']): TpmtPublic =>
  parsePublic(encodeEccPublic({ ...plainFields, ...changed }, curve, coordinates));
const rsa = (changed: Partial<PublicFields> = {}): TpmtPublic =>
  parsePublic(encodeRsaPublic({ ...plainFields, ...changed }, modulus));

/** In the order of their bits. */
const attributeBits: readonly (readonly [ObjectAttribute, number])[] = [
  ['fixedTPM', 1],
  ['stClear', 2],
  ['fixedParent', 4],
  ['sensitiveDataOrigin', 5],
  ['userWithAuth', 6],
  ['adminWithPolicy', 7],
  ['firmwareLimited', 8],
  ['svnLimited', 9],
  ['noDA', 10],
  ['encryptedDuplication', 11],
  ['restricted', 16],
  ['decrypt', 17],
  ['sign', 18],
  ['x509sign', 19],
];

suite('TPMT_PUBLIC (part 2 section 12.2.4)', () => {
  test('every RSA key comes back', () => {
    const moduli = fc.tuple(fc.constantFrom(128, 256, 384, 512), fc.nat(255)).map(([octets, fill]) => {
      return new Uint8Array(octets).fill(fill).with(0, fill | 0x80);
    });
    fc.assert(
      fc.property(moduli, fc.integer({ min: 3, max: 2 ** 32 - 1 }), (bytes, exponent) => {
        const { key } = parsePublic(encodeRsaPublic(plainFields, bytes, { exponent }));
        assert.deepEqual(key, { type: 'rsa', modulus: bytes, exponent });
      }),
    );
  });

  test('an exponent of 0 is 65537', () => {
    const { key } = rsa();
    assert.equal(key.type === 'rsa' && key.exponent, 65537);
    assert.equal(inspectPublicKey(subjectPublicKeyInfoOf(key)).exponent, '65537');
  });

  test('every set of attributes comes back', () => {
    fc.assert(
      fc.property(fc.subarray([...attributeBits]), (set) => {
        const attributes = set.reduce((mask, [, bit]) => mask | (1 << bit), 0);
        assert.deepEqual(
          ecc({ attributes }).attributes,
          set.map(([name]) => name),
        );
      }),
    );
  });

  test('a reserved attribute is refused', () => {
    const known = attributeBits.map(([, bit]) => bit);
    for (let bit = 0; bit < 32; bit += 1) {
      if (!known.includes(bit)) refuses('malformed', () => ecc({ attributes: 1 << bit }));
    }
  });

  test('symmetric: AES in CFB mode, or none', () => {
    assert.equal(rsa().symmetric, null);
    assert.deepEqual(rsa({ symmetric: aes(256) }).symmetric, { keyBits: 256 });
    refuses('unsupported', () => rsa({ symmetric: aes(128, ids.ctr) }));
    refuses('unsupported', () => rsa({ symmetric: aes(64) }));
    refuses('unsupported', () => rsa({ symmetric: join(u16(ids.camellia), u16(128), u16(ids.cfb)) }));
  });

  test('schemes of the key type', () => {
    for (const name of ['rsassa', 'rsapss', 'oaep'] as const) {
      assert.deepEqual(rsa({ scheme: scheme(ids[name], ids.sha256) }).scheme, { name, hash: 'sha256' });
      refuses('unsupported', () => ecc({ scheme: scheme(ids[name], ids.sha256) }));
    }
    assert.deepEqual(rsa({ scheme: u16(ids.rsaes) }).scheme, { name: 'rsaes', hash: null });
    for (const name of ['ecdsa', 'ecdh', 'ecschnorr'] as const) {
      assert.deepEqual(ecc({ scheme: scheme(ids[name], ids.sha384) }).scheme, { name, hash: 'sha384' });
      refuses('unsupported', () => rsa({ scheme: scheme(ids[name], ids.sha384) }));
    }
    const ecdaa = join(scheme(ids.ecdaa, ids.sha256), u16(1));
    assert.deepEqual(ecc({ scheme: ecdaa }).scheme, { name: 'ecdaa', hash: 'sha256' });
    refuses('unsupported', () => ecc({ scheme: scheme(ids.sm2, ids.sm3) }));
    refuses('unsupported', () => ecc({ scheme: scheme(ids.ecdsa, ids.sm3) }));
  });

  test('a kdf', () => {
    const kdf = scheme(ids.kdf1Sp800108, ids.sha256);
    const bytes = (given: Uint8Array) => encodeEccPublic(plainFields, curveIds['P-256'], coordinates, given);
    assert.equal(parsePublic(bytes(kdf)).key.type, 'ecc');
    refuses('unsupported', () => parsePublic(bytes(scheme(ids.ecdsa, ids.sha256))));
    refuses('unsupported', () => parsePublic(bytes(scheme(ids.kdf1Sp800108, ids.sm3))));
  });

  test('a policy of the size of a digest of nameAlg, or none', () => {
    const policy = new Uint8Array(48).fill(7);
    assert.equal(rsa().authPolicy, null);
    assert.deepEqual(rsa({ nameAlg: ids.sha384, authPolicy: policy }).authPolicy, policy);
    refuses('malformed', () => rsa({ authPolicy: policy }));
    refuses('too-large', () => rsa({ authPolicy: new Uint8Array(65) }));
  });

  test('coordinates without their leading zeros', () => {
    const bytes = encodeEccPublic(plainFields, curveIds['P-521'], [u8(5), new Uint8Array(66).fill(6)]);
    const { key } = parsePublic(bytes);
    assert.deepEqual(key.type === 'ecc' && key.x, new Uint8Array(66).with(65, 5));
  });

  test('a key as certificates have it', () => {
    for (const curve of ['P-256', 'P-384', 'P-521'] as const) {
      const key = eccKey(curve);
      const spki: Der = subjectPublicKeyInfoOf(parsePublic(key.publicArea()).key);
      assert.deepEqual(spki, key.spki);
    }
  });

  for (const [code, what, bytes] of [
    ['unsupported', 'a keyed hash', encodeHead(ids.keyedhash, plainFields)],
    ['unsupported', 'a symmetric cipher', encodeHead(ids.symcipher, plainFields)],
    ['unsupported', 'P-192', encodeEccPublic(plainFields, curveIds['P-192'], coordinates)],
    ['unsupported', 'a Barreto-Naehrig curve', encodeEccPublic(plainFields, curveIds['BN-256'], coordinates)],
    ['unsupported', 'SM3 as nameAlg', encodeRsaPublic({ ...plainFields, nameAlg: ids.sm3 }, modulus)],
    [
      'malformed',
      'a modulus of other bits than it says',
      encodeRsaPublic(plainFields, modulus, { keyBits: 2040 }),
    ],
    ['malformed', 'a modulus with leading zeros', encodeRsaPublic(plainFields, modulus.with(0, 0x7f))],
    ['too-large', 'a modulus of 4104 bits', encodeRsaPublic(plainFields, new Uint8Array(513).fill(0xc1))],
    [
      'malformed',
      'a coordinate past its curve',
      encodeEccPublic(plainFields, 3, [new Uint8Array(33), u8(1)]),
    ],
    ['malformed', 'no coordinate', encodeEccPublic(plainFields, 3, [new Uint8Array(), u8(1)])],
    ['too-large', 'a coordinate of 67 octets', encodeEccPublic(plainFields, 5, [new Uint8Array(67), u8(1)])],
    ['malformed', 'an octet too many', join(encodeRsaPublic(plainFields, modulus), u8(0))],
    ['malformed', 'an octet too few', encodeRsaPublic(plainFields, modulus).subarray(0, -1)],
  ] as const) {
    test(`${what} is ${code}`, () => refuses(code, () => parsePublic(bytes)));
  }
});

suite('TPMS_ATTEST (part 2 section 10.12.12)', () => {
  const octets = (maxLength: number) => fc.uint8Array({ maxLength });

  test('every certification and creation comes back', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('certify' as const, 'creation' as const),
        octets(66),
        octets(66),
        octets(64),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        (type, extraData, name, more, firmwareVersion) => {
          const fields = { type: attestTypes[type], extraData, name, more, firmwareVersion };
          assert.deepEqual(parseAttest(encodeAttest(fields), type), {
            extraData,
            name,
            more,
            firmwareVersion: firmwareVersion.toHex(),
          });
        },
      ),
    );
  });

  for (const [code, what, fields] of [
    ['malformed', 'safe that is neither yes nor no', { safe: 2 }],
    ['too-large', 'extraData of 67 octets', { extraData: new Uint8Array(67) }],
    ['too-large', 'a name of 67 octets', { name: new Uint8Array(67) }],
    ['too-large', 'a qualifiedSigner of 67 octets', { qualifiedSigner: new Uint8Array(67) }],
    ['too-large', 'a qualifiedName of 67 octets', { more: new Uint8Array(67) }],
    ['malformed', 'an octet too many', { trailing: u8(0) }],
  ] as const) {
    test(`${what} is ${code}`, () => refuses(code, () => parseAttest(encodeAttest(fields), 'certify')));
  }

  test('a creationHash of 65 octets is too-large', () => {
    const bytes = encodeAttest({ type: attestTypes.creation, more: new Uint8Array(65) });
    refuses('too-large', () => parseAttest(bytes, 'creation'));
  });
});

suite('TPMT_SIGNATURE (part 2 section 11.3.4)', () => {
  test('RSA, with the hash it names', () => {
    const octets = modulus;
    const parsed = parseSignature(encodeSignature(ids.rsapss, ids.sha384, octets));
    assert.deepEqual(parsed, { scheme: 'rsapss', hash: 'sha384', octets });
  });

  test('ECDSA as the DER of its numbers', () => {
    const parsed = parseSignature(encodeSignature(ids.ecdsa, ids.sha256, u16(0x0080), u8(1)));
    assert.equal(parsed.octets.toHex(), '300702020080020101');
  });

  for (const [code, what, bytes] of [
    ['unsupported', 'ECDAA', encodeSignature(ids.ecdaa, ids.sha256, u8(1), u8(1))],
    ['unsupported', 'SM3', encodeSignature(ids.rsassa, ids.sm3, modulus)],
    ['unsupported', 'no signature', u16(ids.null)],
    ['malformed', 'an empty number', encodeSignature(ids.ecdsa, ids.sha256, u8(1), new Uint8Array())],
    ['too-large', 'a number of 67 octets', encodeSignature(ids.ecdsa, ids.sha256, u8(1), new Uint8Array(67))],
    ['too-large', '4104 bits', encodeSignature(ids.rsassa, ids.sha256, new Uint8Array(513))],
    ['malformed', 'an octet too many', join(encodeSignature(ids.rsassa, ids.sha256, modulus), u8(0))],
  ] as const) {
    test(`${what} is ${code}`, () => refuses(code, () => parseSignature(bytes)));
  }
});

suite('TPMS_CREATION_DATA (part 2 section 15.1)', () => {
  test('what the caller of the TPM had it put there comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 66 }), (outsideInfo) => {
        assert.deepEqual(parseCreationData(encodeCreationData({ outsideInfo })).outsideInfo, outsideInfo);
      }),
    );
  });

  test('of a primary key', () => {
    assert.ok(parseCreationData(encodeCreationData({ parentNameAlg: ids.null, banks: [] })));
  });

  for (const [code, what, fields] of [
    [
      'too-large',
      '17 banks of PCRs',
      { banks: Array.from({ length: 17 }, () => [ids.sha256, u8(0)] as const) },
    ],
    ['too-large', 'a selection of 5 octets', { banks: [[ids.sha256, new Uint8Array(5)]] }],
    ['unsupported', 'a name of SM3', { parentNameAlg: ids.sm3 }],
    ['malformed', 'an octet too many', { trailing: u8(0) }],
  ] as const) {
    test(`${what} is ${code}`, () => refuses(code, () => parseCreationData(encodeCreationData(fields))));
  }

  test('the template of an endorsement key reads as it is', () => {
    assert.deepEqual(rsa({ attributes: endorsementKey, symmetric: aes(128) }).attributes, [
      'fixedTPM',
      'fixedParent',
      'sensitiveDataOrigin',
      'adminWithPolicy',
      'restricted',
      'decrypt',
    ]);
  });
});
