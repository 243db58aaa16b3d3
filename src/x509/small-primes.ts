/** Odd primes below 1000 (trial division of a modulus, as the CA/Browser Forum asks of CAs up to 752). */
export const smallPrimes: readonly number[] = oddPrimesBelow(1000);

/** Runs of small primes whose product a Number holds exactly, so that one division of bigints serves some five primes. */
const groups: readonly { readonly product: bigint; readonly primes: readonly number[] }[] =
  groupsOf(smallPrimes);
const wholeProduct = groups.reduce((product, group) => product * group.product, 1n);

/** The residues of n modulo each of `smallPrimes`. */
export function smallPrimeResidues(n: bigint): number[] {
  const reduced = n % wholeProduct;
  return groups.flatMap(({ product, primes }) => {
    const residue = Number(reduced % product);
    return primes.map((prime) => residue % prime);
  });
}

function oddPrimesBelow(limit: number): number[] {
  const primes: number[] = [];
  for (let n = 3; n < limit; n += 2) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

function groupsOf(primes: readonly number[]): { product: bigint; primes: number[] }[] {
  const result: { product: bigint; primes: number[] }[] = [];
  let last = { product: 1n, primes: [] as number[] };
  for (const prime of primes) {
    const product = last.product * BigInt(prime);
    if (product > BigInt(Number.MAX_SAFE_INTEGER) || result.length === 0) {
      last = { product: BigInt(prime), primes: [prime] };
      result.push(last);
    } else {
      last.product = product;
      last.primes.push(prime);
    }
  }
  return result;
}
