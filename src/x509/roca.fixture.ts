import { checkPrimeSync } from 'node:crypto';

const primorials: Readonly<Record<number, number>> = { 2048: 126, 1024: 71 };

/** A modulus of two primes k * M + (65537^a mod M), M the product of the first primes, as CVE-2017-15361 describes them. */
export function rocaModulus(bits: 1024 | 2048): bigint {
  const m = firstPrimes(primorials[bits] ?? 0).reduce((product, prime) => product * prime, 1n);
  return rocaPrime(m, bits / 2, 3n) * rocaPrime(m, bits / 2, 1_000_003n);
}

/** The first k from the smallest that makes the product have its full size. */
function rocaPrime(m: bigint, bits: number, a: bigint): bigint {
  const residue = powerModulo(65_537n, a, m);
  for (let k = (3n * 2n ** BigInt(bits - 2)) / m + 1n; ; k += 1n) {
    const candidate = k * m + residue;
    if (checkPrimeSync(candidate)) return candidate;
  }
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < count; n += 1n) {
    if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  }
  return primes;
}
