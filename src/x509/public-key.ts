import { SallyportError } from '#errors';
import { requireNoParameters, requireNullParameters } from './algorithm-identifier.ts';
import { type Der, readDer } from './der-node.ts';
import { tags } from './der-tags.ts';
import { type NamedCurve, curveByOid } from './elliptic-curve.ts';
import { oids } from './oids.ts';
import { type SubjectPublicKeyInfo, subjectPublicKeyInfoOf } from './subject-public-key-info.ts';

/** A subject public key by its kind. Parsed, not judged: that is `inspectPublicKey`. */
export type PublicKey =
  /** Unsigned, without leading zeros. */
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  /** An uncompressed point; `curve` is null for a curve that is named but none of ours. */
  | {
      readonly kind: 'ec';
      readonly curve: NamedCurve | null;
      readonly curveOid: string;
      readonly point: Uint8Array;
    }
  | { readonly kind: 'ed25519'; readonly point: Uint8Array }
  | { readonly kind: 'ml-dsa'; readonly oid: string; readonly octets: number }
  | { readonly kind: 'other'; readonly oid: string; readonly octets: number };

/** RFC 9881 section 4: the sizes of FIPS 204. */
const mlDsaOctets: ReadonlyMap<string, number> = new Map([
  [oids.mlDsa44, 1312],
  [oids.mlDsa65, 1952],
  [oids.mlDsa87, 2592],
]);

/** Throws `malformed`, and `unsupported` for explicit curve parameters and compressed points. */
export function parsePublicKey(spki: Der): PublicKey {
  const info = subjectPublicKeyInfoOf(readDer(spki));
  switch (info.algorithm.oid) {
    case oids.rsaEncryption:
      return rsaKeyOf(info);
    case oids.ecPublicKey:
      return ecKeyOf(info);
    case oids.ed25519:
      requireNoParameters(info.algorithm);
      requireOctets(info, 32);
      return { kind: 'ed25519', point: info.publicKey };
    default:
      return mlDsaOrOther(info);
  }
}

/** RSAPublicKey (RFC 8017 appendix A.1.1). */
function rsaKeyOf({ algorithm, publicKey }: SubjectPublicKeyInfo): PublicKey {
  requireNullParameters(algorithm);
  const fields = readDer(publicKey).sequence('RSAPublicKey');
  const modulus = fields.next().unsignedBytes('modulus');
  const exponent = fields.next().unsignedBytes('publicExponent');
  fields.finish();
  return { kind: 'rsa', modulus, exponent };
}

/**
 * RFC 5480 section 2.1.1: a named curve; "specifiedCurve MUST NOT be used", for a key on a curve of its maker's own choice
 * passes for another's (CVE-2020-0601).
 */
function ecKeyOf({ algorithm, publicKey }: SubjectPublicKeyInfo): PublicKey {
  if (algorithm.parameters?.tag !== tags.oid) {
    throw new SallyportError('unsupported', 'EC key: only a named curve is accepted');
  }
  if (publicKey[0] !== 4) {
    throw new SallyportError('unsupported', 'EC key: only an uncompressed point is accepted');
  }
  const curveOid = algorithm.parameters.oid('namedCurve');
  return { kind: 'ec', curve: curveByOid(curveOid), curveOid, point: publicKey };
}

function mlDsaOrOther(info: SubjectPublicKeyInfo): PublicKey {
  const { oid } = info.algorithm;
  const octets = mlDsaOctets.get(oid);
  if (octets === undefined) return { kind: 'other', oid, octets: info.publicKey.length };
  requireNoParameters(info.algorithm);
  requireOctets(info, octets);
  return { kind: 'ml-dsa', oid, octets };
}

function requireOctets({ algorithm, publicKey }: SubjectPublicKeyInfo, octets: number): void {
  if (publicKey.length !== octets) {
    throw new SallyportError(
      'malformed',
      `public key ${algorithm.oid}: ${publicKey.length} octets, not ${octets}`,
    );
  }
}
