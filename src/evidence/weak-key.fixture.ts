import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { inverseModulo } from '../../test/harness/modular.ts';
import { rocaPrimes } from '../../test/harness/roca.ts';
import type { KeyPair } from './evidence.fixture.ts';

/** RSA, in whatever size and by whatever exponent. */
export function rsaKeyPair(modulusLength: number, publicExponent = 65_537): KeyPair {
  return pairOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey);
}

/** 2048 bits, as Infineon's generator made them. */
export function rocaKeyPair(): KeyPair {
  const [p, q] = rocaPrimes(2048);
  const e = 65_537n;
  const d = inverseModulo(e, (p - 1n) * (q - 1n))!;
  const parts = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverseModulo(q, p)! };
  const encoded = Object.entries(parts).map(([name, value]) => [name, base64url(value)] as const);
  return pairOf(createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(encoded) }, format: 'jwk' }));
}

function pairOf(privateKey: KeyObject): KeyPair {
  const spki = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  return { algorithm: 'rsa-2048', privateKey, spki };
}

function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
