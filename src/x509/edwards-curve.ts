import { unsignedBigInt } from './octets.ts';

const p = 2n ** 255n - 19n;
/** -121665/121666 (RFC 8032 section 5.1). */
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * Whether an Ed25519 public key is canonical and not of small order. Under a key of small order one signature fits any
 * message, so that it proves possession of nothing. A y that is on no point of the curve verifies no signature, and is
 * not looked for here.
 */
export function isEd25519PointUsable(publicKey: Uint8Array): boolean {
  // RFC 8032 section 5.1.2: y in little-endian order below the sign bit of x.
  const y = BigInt.asUintN(255, unsignedBigInt(publicKey.toReversed()));
  return y < p && !isSmallOrder(y);
}

/** The y of order 1 and 2 are 1 and -1, of order 4 is 0; doubling a point of order 8 gives y = 0, so d*y^4 + 2*y^2 = 1. */
function isSmallOrder(y: bigint): boolean {
  const square = (y * y) % p;
  return (y * (square - 1n) * (d * square * square + 2n * square - 1n)) % p === 0n;
}
