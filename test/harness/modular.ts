export function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = positive(base, modulus);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** null: it has none. */
export function inverseModulo(value: bigint, modulus: bigint): bigint | null {
  let [last, now, lastFactor, factor] = [modulus, positive(value, modulus), 0n, 1n];
  while (now !== 0n) {
    const quotient = last / now;
    [last, now] = [now, last - quotient * now];
    [lastFactor, factor] = [factor, lastFactor - quotient * factor];
  }
  return last === 1n ? positive(lastFactor, modulus) : null;
}

function positive(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}
