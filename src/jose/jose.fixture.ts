import assert from 'node:assert/strict';
import { type KeyObject, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { type ErrorCode, isSallyportError } from '#errors';
import { type JwsAlgorithm, type Members, encodeBase64Url, membersOf } from '#jose';

/** Asserts that a SallyportError of this code is thrown. */
export function assertRefused(code: ErrorCode, act: () => unknown, message?: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(isSallyportError(error, code), `expected ${code}, got ${String(error)}`);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

export interface SigningKey {
  readonly alg: JwsAlgorithm;
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
  readonly jwk: Members;
}

/** A key pair whose public half Node.js exported, as JWK and as SPKI. */
export function signingKey(alg: JwsAlgorithm): SigningKey {
  const { privateKey, publicKey } = generatePair(alg);
  return {
    alg,
    privateKey,
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    jwk: membersOf(publicKey.export({ format: 'jwk' }), 'the exported key'),
  };
}

function generatePair(alg: JwsAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (alg) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'EdDSA':
    case 'Ed25519':
      return generateKeyPairSync('ed25519');
    case 'ML-DSA-44':
      return generateKeyPairSync('ml-dsa-44');
    case 'ML-DSA-65':
      return generateKeyPairSync('ml-dsa-65');
    case 'ML-DSA-87':
      return generateKeyPairSync('ml-dsa-87');
  }
}

export interface Flattened {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

export function encodeText(text: string): string {
  return encodeBase64Url(new TextEncoder().encode(text));
}

/** Signed as JOSE wants it, whatever the header says. `header` and `payload` are texts, so that they may be wrong. */
export function signedTexts(key: SigningKey, header: string, payload: string): Flattened {
  const [encodedHeader, encodedPayload] = [encodeText(header), encodeText(payload)];
  const signature = signInput(key, `${encodedHeader}.${encodedPayload}`);
  return {
    protected: encodedHeader,
    payload: encodedPayload,
    signature: encodeBase64Url(signature),
  };
}

function signInput({ alg, privateKey }: SigningKey, input: string): Uint8Array {
  const hash = { ES256: 'sha256', ES384: 'sha384', RS256: 'sha256' }[alg as string] ?? null;
  return new Uint8Array(sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }));
}

/** A newAccount request as in RFC 8555 section 7.3, with other parameters of the header where they are given; undefined leaves one out. */
export function request(
  key: SigningKey,
  header: Members = {},
  payload = '{"termsOfServiceAgreed":true}',
): Flattened {
  return signedTexts(key, JSON.stringify({ ...headerOf(key), ...header }), payload);
}

export function headerOf({ alg, jwk }: SigningKey): Members {
  return { alg, jwk, nonce: '6S8IqOGY7eL2lsGoTZYifg', url: 'https://example.test/acme/new-account' };
}

export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** An external account binding as in RFC 8555 section 7.3.4. */
export function binding(key: KeyObject, header: Members = {}, hash = 'sha256'): Flattened {
  const encodedHeader = encodeText(
    JSON.stringify({ alg: 'HS256', kid: 'kid-1', url: 'https://example.test/acme/new-account', ...header }),
  );
  const payload = encodeText('{"kty":"OKP"}');
  const mac = createHmac(hash, key).update(`${encodedHeader}.${payload}`).digest();
  return { protected: encodedHeader, payload, signature: encodeBase64Url(mac) };
}
