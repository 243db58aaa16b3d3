import { smallPrimes } from './small-primes.ts';

const generator = 65537;
const largestPrime = 167;

/**
 * For each prime up to 167 the residues that powers of 65537 have modulo it. Infineon's library made primes of the form
 * k * M + (65537^a mod M) with M the product of the first primes, so that its moduli are powers of 65537 modulo each of
 * them (CVE-2017-15361; Nemec and others, "The Return of Coppersmith's Attack", 2017, section 2.4).
 */
const powers: readonly ReadonlySet<number>[] = smallPrimes
  .filter((prime) => prime <= largestPrime)
  .map((prime) => powersModulo(prime));

/** Whether a modulus, by its residues modulo `smallPrimes`, has the fingerprint. Of other moduli one in 2^27 has it. */
export function hasRocaFingerprint(residues: readonly number[]): boolean {
  return powers.every((set, i) => set.has(residues[i] ?? 0));
}

function powersModulo(prime: number): Set<number> {
  const set = new Set<number>();
  for (let power = 1; !set.has(power); power = (power * generator) % prime) set.add(power);
  return set;
}
