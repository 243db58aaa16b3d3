import {
  checkPrimeSync,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomInt,
} from 'node:crypto';
import type { KeyPair } from './evidence.fixture.ts';

/** RSA, in whatever size and by whatever exponent. */
export function rsaKeyPair(modulusLength: number, publicExponent = 65_537): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
  return {
    algorithm: 'rsa-2048',
    privateKey,
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
  };
}

const exponent = 65_537n;

/** 2048 bits, as Infineon's generator made them (CVE-2017-15361): each prime is a power of 65537 modulo the product of the first 126 primes. */
export function rocaKeyPair(): KeyPair {
  const [p, q] = [rocaPrime(), rocaPrime()];
  const d = inverse(exponent, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: exponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const encoded = Object.entries(parts).map(([name, value]) => [name, base64url(value)] as const);
  const privateKey = createPrivateKey({
    key: { kty: 'RSA', ...Object.fromEntries(encoded) },
    format: 'jwk',
  });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { algorithm: 'rsa-2048', privateKey, spki: new Uint8Array(spki) };
}

function rocaPrime(): bigint {
  const product = firstPrimes(126).reduce((left, right) => left * right, 1n);
  // The two highest bits are ones, so that the modulus has twice as many bits.
  const least = (3n << 1022n) / product + 1n;
  for (;;) {
    const candidate = (least + BigInt(randomInt(2 ** 40))) * product + power(randomInt(2 ** 20), product);
    if (checkPrimeSync(candidate) && (candidate - 1n) % exponent !== 0n) return candidate;
  }
}

function firstPrimes(count: number): bigint[] {
  const primes = [2n];
  for (let candidate = 3n; primes.length < count; candidate += 2n) {
    if (primes.every((prime) => candidate % prime !== 0n)) primes.push(candidate);
  }
  return primes;
}

function power(times: number, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of times.toString(2)) {
    result = (result * result * (bit === '1' ? exponent : 1n)) % modulus;
  }
  return result;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [last, now, lastFactor, factor] = [modulus, value % modulus, 0n, 1n];
  while (now !== 0n) {
    const quotient = last / now;
    [last, now] = [now, last - quotient * now];
    [lastFactor, factor] = [factor, lastFactor - quotient * factor];
  }
  return ((lastFactor % modulus) + modulus) % modulus;
}

function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
