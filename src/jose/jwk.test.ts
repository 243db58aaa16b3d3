import assert from 'node:assert/strict';
import { type KeyObject, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { calculateJwkThumbprint } from 'jose';
import { isSallyportError } from '#errors';
import { type Members, encodeBase64Url, jwsAlgorithms, membersOf, parseJwk, thumbprint } from '#jose';
import { assertRefused, signingKey } from './jose.fixture.ts';
import { jwsVectors, thumbprintVectors } from './rfc-vectors.fixture.ts';

const ec = signingKey('ES256').jwk;
const rsa = signingKey('RS256').jwk;
const okp = signingKey('EdDSA').jwk;
const akp = signingKey('ML-DSA-44').jwk;
const privateRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

function octetsOf(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(String(text), 'base64url'));
}

function number(value: bigint): string {
  const digits = value.toString(16);
  return encodeBase64Url(Uint8Array.fromHex(digits.padStart(digits.length + (digits.length % 2), '0')));
}

suite('parseJwk', () => {
  for (const alg of jwsAlgorithms) {
    test(`a key for ${alg} has the SPKI and the thumbprint that others give it`, async () => {
      const { jwk, spki } = signingKey(alg);
      const parsed = parseJwk(jwk);
      assert.deepEqual(parsed.spki, spki);
      assert.equal(parsed.kty, jwk.kty);
      assert.equal(thumbprint(parsed), await calculateJwkThumbprint(jwk));
      assert.deepEqual(parseJwk(JSON.parse(parsed.canonical)), parsed);
    });
  }

  for (const [name, { jwk }] of Object.entries(jwsVectors)) {
    test(`${name}: the key is the one that Node.js imports`, () => {
      const imported = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' });
      assert.deepEqual(parseJwk(jwk).spki, new Uint8Array(imported));
    });
  }

  test('members that are no part of the key are ignored, whatever they hold', () => {
    const more = {
      use: 'enc',
      key_ops: ['sign'],
      kid: 1,
      alg: 'none',
      x5c: [],
      x5u: 'http://example.test',
      ext: true,
    };
    assert.deepEqual(parseJwk({ ...more, ...ec }), parseJwk(ec));
  });

  test('arbitrary members give a key or a typed error', () => {
    const value = fc.oneof(
      fc.constantFrom(...[ec, rsa, okp, akp].flatMap(Object.values)),
      fc.string(),
      fc.jsonValue(),
    );
    const names = ['kty', 'crv', 'x', 'y', 'n', 'e', 'alg', 'pub', 'd', 'k'];
    const changes = fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.constantFrom(ec, rsa, okp, akp, {}), changes, (jwk, changed) => {
        try {
          parseJwk({ ...jwk, ...changed });
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'too-large'), String(error));
        }
      }),
    );
  });

  test('what is no object is malformed', () => {
    for (const value of [null, [], 'EC', undefined, 1]) assertRefused('malformed', () => parseJwk(value));
  });
});

suite('a JWK that is refused', () => {
  for (const kty of ['oct', 'ec', 'toString', 1, null, undefined]) {
    test(`kty ${String(kty)} is unsupported`, () => {
      assertRefused('unsupported', () => parseJwk({ ...ec, kty }), /kty/);
    });
  }

  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv', 'n', 'e', 'pub']) {
    test(`an EC key with "${name}" is malformed, and its value in no message`, () => {
      const value = encodeBase64Url(new Uint8Array(32).fill(7));
      assert.throws(
        () => parseJwk({ ...ec, [name]: value }),
        (error: Error) => isSallyportError(error, 'malformed') && !error.message.includes(value),
      );
    });
  }

  test('a private key is malformed by the first of its private members alone', () => {
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      assertRefused(
        'malformed',
        () => parseJwk({ ...rsa, [name]: privateRsa[name] }),
        /no place in a public key/,
      );
    }
    assertRefused('malformed', () => parseJwk({ ...rsa, oth: [] }), /"oth"/);
    assertRefused('malformed', () => parseJwk({ ...okp, d: okp.x }), /"d"/);
    assertRefused('malformed', () => parseJwk({ ...okp, y: okp.x }), /"y"/);
    assertRefused('malformed', () => parseJwk({ ...akp, priv: okp.x }), /"priv"/);
  });

  for (const jwk of [ec, rsa, okp, akp]) {
    for (const name of Object.keys(jwk).filter((each) => each !== 'kty')) {
      test(`kty ${String(jwk.kty)} with "${name}" missing or no string is malformed`, () => {
        for (const value of [undefined, null, 5, [jwk[name]]]) {
          assertRefused('malformed', () => parseJwk({ ...jwk, [name]: value }), /must be a string/);
        }
      });
    }
  }

  const x = octetsOf(ec.x);

  test('coordinates whose octets together make a point, one long and one short, are malformed', () => {
    const y = octetsOf(ec.y);
    const shifted = { x: encodeBase64Url(Uint8Array.of(...x, y[0] ?? 0)), y: encodeBase64Url(y.subarray(1)) };
    assertRefused('malformed', () => parseJwk({ ...ec, ...shifted }), /"x" has 33 octets, not 32/);
  });

  test('an empty n and an empty e are malformed by name', () => {
    assertRefused('malformed', () => parseJwk({ ...rsa, n: '' }), /"n" is empty/);
    assertRefused('malformed', () => parseJwk({ ...rsa, e: '' }), /"e" is empty/);
  });

  const edwards = octetsOf(okp.x);
  const modulus = BigInt(`0x${octetsOf(rsa.n).toHex()}`);
  const malformed: Readonly<Record<string, Members>> = {
    'an EC coordinate with a zero in front': { ...ec, x: encodeBase64Url(Uint8Array.of(0, ...x)) },
    'an EC coordinate that is short': { ...ec, x: encodeBase64Url(x.subarray(1)) },
    'an EC coordinate with padding': { ...ec, x: `${String(ec.x)}=` },
    'an EC coordinate in base64': { ...ec, x: encodeBase64Url(x).replace(/.$/, '+') },
    'a point off its curve': { ...ec, x: encodeBase64Url(x.with(31, (x[31] ?? 0) ^ 1)) },
    'the point of zeros': {
      ...ec,
      x: encodeBase64Url(new Uint8Array(32)),
      y: encodeBase64Url(new Uint8Array(32)),
    },
    'a P-256 point for P-384': { ...ec, crv: 'P-384' },
    'n with a zero in front': { ...rsa, n: encodeBase64Url(Uint8Array.of(0, ...octetsOf(rsa.n))) },
    'e with a zero in front': { ...rsa, e: 'AAEAAQ' },
    'an Ed25519 key of 31 octets': { ...okp, x: encodeBase64Url(edwards.subarray(1)) },
    'an Ed25519 key of small order': { ...okp, x: encodeBase64Url(new Uint8Array(32).with(0, 1)) },
    'an Ed25519 key that is not canonical': { ...okp, x: encodeBase64Url(new Uint8Array(32).fill(0xff)) },
    'an ML-DSA-44 key called ML-DSA-65': { ...akp, alg: 'ML-DSA-65' },
    'an ML-DSA key that is short': { ...akp, pub: encodeBase64Url(octetsOf(akp.pub).subarray(1)) },
  };
  for (const [what, jwk] of Object.entries(malformed)) {
    test(`${what} is malformed`, () => assertRefused('malformed', () => parseJwk(jwk)));
  }

  const exported = (pair: { readonly publicKey: KeyObject }) =>
    membersOf(pair.publicKey.export({ format: 'jwk' }), 'the exported key');
  const unsupported: Readonly<Record<string, { readonly jwk: Members; readonly message: RegExp }>> = {
    'P-521': { jwk: exported(generateKeyPairSync('ec', { namedCurve: 'P-521' })), message: /crv/ },
    secp256k1: { jwk: exported(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })), message: /crv/ },
    X25519: { jwk: exported(generateKeyPairSync('x25519')), message: /crv/ },
    Ed448: { jwk: exported(generateKeyPairSync('ed448')), message: /crv/ },
    'SLH-DSA as kty AKP': { jwk: { ...akp, alg: 'SLH-DSA-SHA2-128s' }, message: /no ML-DSA/ },
    'RSA of 1024 bits': {
      jwk: exported(generateKeyPairSync('rsa', { modulusLength: 1024 })),
      message: /: short$/,
    },
    'RSA of 2040 bits': {
      jwk: exported(generateKeyPairSync('rsa', { modulusLength: 2040 })),
      message: /: short$/,
    },
    'RSA of 8193 bits': { jwk: { ...rsa, n: number(2n ** 8192n + 1n) }, message: /: large$/ },
    'an even modulus': { jwk: { ...rsa, n: number(modulus + 1n) }, message: /: even-modulus/ },
    'a modulus of small factors': { jwk: { ...rsa, n: number(3n ** 1300n) }, message: /: small-factor/ },
    'e of 3': { jwk: { ...rsa, e: 'Aw' }, message: /: small-exponent$/ },
    'an even e': { jwk: { ...rsa, e: number(65_538n) }, message: /: small-exponent$/ },
    'e of 257 bits': { jwk: { ...rsa, e: number(2n ** 256n + 1n) }, message: /: small-exponent$/ },
  };
  for (const [what, { jwk, message }] of Object.entries(unsupported)) {
    test(`${what} is unsupported`, () => assertRefused('unsupported', () => parseJwk(jwk), message));
  }
});

suite('thumbprint (RFC 7638)', () => {
  for (const [name, { jwk, thumbprint: expected }] of Object.entries(thumbprintVectors)) {
    test(name, () => assert.equal(thumbprint(parseJwk(jwk)), expected));
  }

  test('section 3.1: what is hashed, octet for octet', () => {
    const { jwk } = thumbprintVectors['RFC 7638 section 3.1'] ?? assert.fail();
    assert.equal(parseJwk(jwk).canonical, `{"e":"AQAB","kty":"RSA","n":"${String(jwk.n)}"}`);
  });
});
