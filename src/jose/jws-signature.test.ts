import assert from 'node:assert/strict';
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { suite, test } from 'node:test';
import { decodeBase64Url, jwsAlgorithms, parseJwk } from '#jose';
import { signingKey } from './jose.fixture.ts';
import { isJwsSignature } from './jws-signature.ts';
import { isMac } from './mac-jws.ts';
import { keyOfShortSignature } from './short-signature.fixture.ts';
import { jwsVectors, macVector } from './rfc-vectors.fixture.ts';

const encoder = new TextEncoder();

suite('vectors', () => {
  for (const [name, { alg, jwk, signingInput, signature }] of Object.entries(jwsVectors)) {
    test(`${name}: ${alg} verifies, and not over another input`, () => {
      const { spki } = parseJwk(jwk);
      const bytes = decodeBase64Url(signature, 'signature');
      assert.equal(isJwsSignature(alg, spki, encoder.encode(signingInput), bytes), true);
      assert.equal(isJwsSignature(alg, spki, encoder.encode(`${signingInput}A`), bytes), false);
    });
  }

  test('RFC 9864: the vector of EdDSA is one of Ed25519', () => {
    const { jwk, signingInput, signature } = jwsVectors['RFC 8037 appendix A.4'] ?? assert.fail();
    const bytes = decodeBase64Url(signature, 'signature');
    assert.equal(isJwsSignature('Ed25519', parseJwk(jwk).spki, encoder.encode(signingInput), bytes), true);
  });

  test('RFC 7515 appendix A.1: HS256 verifies, and not over another input', () => {
    const key = createSecretKey(decodeBase64Url(macVector.k, 'k'));
    const mac = decodeBase64Url(macVector.mac, 'mac');
    assert.equal(isMac(key, encoder.encode(macVector.signingInput), mac), true);
    assert.equal(isMac(key, encoder.encode(`${macVector.signingInput}A`), mac), false);
  });
});

suite('which signature is by which key', () => {
  const data = encoder.encode('header.payload');
  const keys = jwsAlgorithms.map(signingKey);
  const hashes: Readonly<Record<string, string>> = { ES256: 'sha256', ES384: 'sha384', RS256: 'sha256' };
  const byKey = keys.map(
    ({ alg, privateKey }) =>
      new Uint8Array(sign(hashes[alg] ?? null, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  );

  test('each algorithm takes the signature of its own key alone', () => {
    for (const alg of jwsAlgorithms) {
      for (const [at, { alg: keyAlg, spki }] of keys.entries()) {
        const same = alg === keyAlg || [alg, keyAlg].toSorted().join() === 'Ed25519,EdDSA';
        assert.equal(
          isJwsSignature(alg, spki, data, byKey[at] ?? data),
          same,
          `${alg} with a key for ${keyAlg}`,
        );
      }
    }
  });

  for (const [namedCurve, hash, alg] of [
    ['P-384', 'sha256', 'ES256'],
    ['P-521', 'sha256', 'ES256'],
    ['P-256', 'sha384', 'ES384'],
  ] as const) {
    test(`${alg} with ${namedCurve} gives false, though the signature is right`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      const signature = sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      assert.equal(isJwsSignature(alg, spki, data, signature), false);
    });
  }

  test('an ECDSA signature of another length gives false: in DER, and with zeros that change no number', () => {
    const { jwk, signingInput, signature } = jwsVectors['RFC 7515 appendix A.3'] ?? assert.fail();
    const { spki } = parseJwk(jwk);
    const raw = decodeBase64Url(signature, 'signature');
    const padded = Uint8Array.of(0, ...raw.subarray(0, 32), 0, ...raw.subarray(32));
    const d = 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI';
    const inDer = sign(
      'sha256',
      encoder.encode(signingInput),
      createPrivateKey({ key: { ...jwk, d }, format: 'jwk' }),
    );
    for (const other of [padded, inDer, raw.subarray(0, 63), Uint8Array.of(...raw, 0), new Uint8Array()]) {
      assert.equal(isJwsSignature('ES256', spki, encoder.encode(signingInput), other), false);
    }
  });

  test('a P-384 key made to fit a signature of 64 octets gives false with ES256', () => {
    const { spki, signature } = keyOfShortSignature(data);
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    assert.equal(verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature.long), true);
    assert.equal(isJwsSignature('ES256', spki, data, signature.short), false);
  });

  test('R and S of zero give false (CVE-2022-21449)', () => {
    const { spki } = signingKey('ES256');
    assert.equal(isJwsSignature('ES256', spki, data, new Uint8Array(64)), false);
  });

  test('a key that would not be taken as a JWK verifies nothing', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    assert.equal(isJwsSignature('RS256', spki, data, sign('sha256', data, privateKey)), false);
  });

  test('RSA of a size that no template issues verifies', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2304 });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    assert.equal(isJwsSignature('RS256', spki, data, sign('sha256', data, privateKey)), true);
  });
});
