import type { KeyAlgorithm } from '#keys';
import type { Der } from './der-node.ts';
import { isEd25519PointUsable } from './edwards-curve.ts';
import { isOnCurve } from './elliptic-curve.ts';
import { unsignedBigInt, octetAt } from './octets.ts';
import { oids } from './oids.ts';
import { type PublicKey, parsePublicKey } from './public-key.ts';
import { hasRocaFingerprint } from './roca.ts';
import { smallPrimeResidues } from './small-primes.ts';

/** `not-on-curve` is also an Ed25519 point of small order. */
export type KeyWeakness =
  | 'short'
  | 'small-exponent'
  | 'even-modulus'
  | 'roca'
  | 'not-on-curve'
  | 'large'
  | 'small-factor';

export interface PublicKeyFacts {
  readonly algorithm: KeyAlgorithm | 'rsa-other' | 'ec-other' | 'other';
  /** Modulus or field size; for ML-DSA and unknown kinds the size of the public key. */
  readonly bits: number;
  /** RSA only, decimal; left out beyond 2^256. */
  readonly exponent?: string;
  /** EC only: P-256, P-384, P-521, or the dotted OID of another curve. */
  readonly curve?: string;
  readonly weaknesses: readonly KeyWeakness[];
}

export const minimumRsaBits = 2048;
/** Beyond this a signature check costs too much to offer it to strangers. */
export const maximumRsaBits = 8192;
const maximumExponentBits = 256;

const mlDsaAlgorithms: Readonly<Record<string, KeyAlgorithm>> = {
  [oids.mlDsa44]: 'ml-dsa-44',
  [oids.mlDsa65]: 'ml-dsa-65',
  [oids.mlDsa87]: 'ml-dsa-87',
};

/** What kind of key it is and what is wrong with it. Throws as `parsePublicKey` does. */
export function inspectPublicKey(spki: Der): PublicKeyFacts {
  const key = parsePublicKey(spki);
  switch (key.kind) {
    case 'rsa':
      return rsaFacts(key);
    case 'ec':
      return ecFacts(key);
    case 'ed25519':
      return {
        algorithm: 'ed25519',
        bits: 256,
        weaknesses: isEd25519PointUsable(key.point) ? [] : ['not-on-curve'],
      };
    case 'ml-dsa':
      return { algorithm: mlDsaAlgorithms[key.oid] ?? 'other', bits: key.octets * 8, weaknesses: [] };
    case 'other':
      return { algorithm: 'other', bits: key.octets * 8, weaknesses: [] };
  }
}

/** Within the sizes that a signature check is worth: bounds the work that a stranger's key can cause. */
export function isRsaComputable({ modulus, exponent }: PublicKey & { kind: 'rsa' }): boolean {
  return bitLength(modulus) <= maximumRsaBits && bitLength(exponent) <= maximumExponentBits;
}

function rsaFacts(key: PublicKey & { kind: 'rsa' }): PublicKeyFacts {
  const bits = bitLength(key.modulus);
  const bounded = bitLength(key.exponent) <= maximumExponentBits;
  return {
    algorithm: bits === 2048 || bits === 3072 || bits === 4096 ? `rsa-${bits}` : 'rsa-other',
    bits,
    ...(bounded ? { exponent: unsignedBigInt(key.exponent).toString() } : {}),
    weaknesses: [
      ...sizeWeaknesses(bits),
      ...exponentWeaknesses(key.exponent),
      ...modulusWeaknesses(key.modulus, bits),
    ],
  };
}

function sizeWeaknesses(bits: number): KeyWeakness[] {
  if (bits < minimumRsaBits) return ['short'];
  return bits > maximumRsaBits ? ['large'] : [];
}

/** SP 800-56B section 6.2: odd, 2^16 < e < 2^256. */
function exponentWeaknesses(exponent: Uint8Array): KeyWeakness[] {
  const bits = bitLength(exponent);
  const odd = (octetAt(exponent, exponent.length - 1) & 1) === 1;
  return odd && bits > 16 && bits <= maximumExponentBits ? [] : ['small-exponent'];
}

function modulusWeaknesses(modulus: Uint8Array, bits: number): KeyWeakness[] {
  const even: KeyWeakness[] = (octetAt(modulus, modulus.length - 1) & 1) === 0 ? ['even-modulus'] : [];
  if (bits > maximumRsaBits) return even;
  const residues = smallPrimeResidues(unsignedBigInt(modulus));
  return [
    ...even,
    ...(residues.includes(0) ? (['small-factor'] as const) : []),
    ...(hasRocaFingerprint(residues) ? (['roca'] as const) : []),
  ];
}

function ecFacts({ curve, curveOid, point }: PublicKey & { kind: 'ec' }): PublicKeyFacts {
  if (curve === null) {
    return { algorithm: 'ec-other', bits: (point.length - 1) * 4, curve: curveOid, weaknesses: [] };
  }
  const algorithm = curve.bits === 256 ? 'ec-p256' : curve.bits === 384 ? 'ec-p384' : 'ec-other';
  const weaknesses: KeyWeakness[] = isOnCurve(curve, point) ? [] : ['not-on-curve'];
  return { algorithm, bits: curve.bits, curve: curve.name, weaknesses };
}

function bitLength(unsignedBytes: Uint8Array): number {
  return unsignedBytes.length * 8 - Math.clz32(octetAt(unsignedBytes, 0)) + 24;
}
