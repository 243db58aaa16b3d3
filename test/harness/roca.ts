import { checkPrimeSync } from 'node:crypto';
import { powerModulo } from './modular.ts';

const primorials = { 2048: 126, 1024: 71 } as const;

type Primes = readonly [p: bigint, q: bigint];

/** Of a modulus of so many bits: k * M + (65537^a mod M), M the product of the first primes, as CVE-2017-15361 describes them. */
export function rocaPrimes(bits: keyof typeof primorials): Primes {
  const m = firstPrimes(primorials[bits]).reduce((product, prime) => product * prime, 1n);
  return [rocaPrime(m, bits / 2, 3n), rocaPrime(m, bits / 2, 1_000_003n)];
}

export function rocaModulus(bits: keyof typeof primorials): bigint {
  const [p, q] = rocaPrimes(bits);
  return p * q;
}

/** The first k from the smallest that makes the product have its full size. */
function rocaPrime(m: bigint, bits: number, a: bigint): bigint {
  const residue = powerModulo(65_537n, a, m);
  for (let k = (3n * 2n ** BigInt(bits - 2)) / m + 1n; ; k += 1n) {
    const candidate = k * m + residue;
    if (checkPrimeSync(candidate)) return candidate;
  }
}

function firstPrimes(count: number): bigint[] {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < count; n += 1n) {
    if (primes.every((prime) => n % prime !== 0n)) primes.push(n);
  }
  return primes;
}
