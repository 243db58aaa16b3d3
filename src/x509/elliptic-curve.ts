import { unsignedBigInt } from './octets.ts';
import { oids } from './oids.ts';

/** A prime curve y² = x³ - 3x + b over the field of p elements (SP 800-186 section 3.2.1). All have cofactor 1. */
export interface NamedCurve {
  readonly name: 'P-256' | 'P-384' | 'P-521';
  readonly bits: 256 | 384 | 521;
  readonly p: bigint;
  readonly b: bigint;
}

const curves: ReadonlyMap<string, NamedCurve> = new Map<string, NamedCurve>([
  [
    oids.prime256v1,
    {
      name: 'P-256',
      bits: 256,
      p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
      b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    },
  ],
  [
    oids.secp384r1,
    {
      name: 'P-384',
      bits: 384,
      p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
      b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    },
  ],
  [
    oids.secp521r1,
    {
      name: 'P-521',
      bits: 521,
      p: 2n ** 521n - 1n,
      b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    },
  ],
]);

export function curveByOid(oid: string): NamedCurve | null {
  return curves.get(oid) ?? null;
}

/**
 * Full validation of an uncompressed point (SP 800-56A section 5.6.2.3.3): its length, both coordinates below p, the
 * curve's equation. Cofactor 1 makes its order right; the point at infinity has no uncompressed form.
 */
export function isOnCurve({ bits, p, b }: NamedCurve, point: Uint8Array): boolean {
  const octets = Math.ceil(bits / 8);
  if (point.length !== 1 + 2 * octets || point[0] !== 4) return false;
  const x = unsignedBigInt(point.subarray(1, 1 + octets));
  const y = unsignedBigInt(point.subarray(1 + octets));
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}
