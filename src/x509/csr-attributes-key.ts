import { SallyportError } from '#errors';
import type { KeyWish } from './csr-attributes-wishes.ts';
import type { Der } from './der-node.ts';
import { der } from './der-writer.ts';
import { oids } from './oids.ts';
import { maximumRsaBits, minimumRsaBits } from './public-key-facts.ts';

/** How CSR attributes say which key, and which signature of it, they want. */
export interface KeyAttributes {
  /**
   * AttrOrOID for clients that know RFC 7030 only. RFC 9908 section 3.2: "exactly one Attribute with the type field being
   * the OID specifying the type of the key"; a key without parameters is its OID alone, for RFC 7030 has no Attribute
   * without values.
   */
  readonly keyType: Der;
  /** The OID of the request's signature algorithm, null where it is the key's own. */
  readonly signatureAlgorithm: Der | null;
  /** The fields of RFC 9908's SubjectPublicKeyInfoTemplate. */
  readonly template: readonly Der[];
}

const curves = {
  'P-256': { curve: oids.prime256v1, signature: oids.ecdsaWithSha256 },
  'P-384': { curve: oids.secp384r1, signature: oids.ecdsaWithSha384 },
} as const;

const keysWithoutParameters = {
  ed25519: oids.ed25519,
  'ml-dsa-44': oids.mlDsa44,
  'ml-dsa-65': oids.mlDsa65,
  'ml-dsa-87': oids.mlDsa87,
} as const;

/** Throws `unsupported` for an RSA key of a size that would be refused when it came. */
export function keyAttributes(key: KeyWish): KeyAttributes {
  switch (key.kind) {
    case 'ec':
      return ecAttributes(key.curve);
    case 'rsa':
      return rsaAttributes(key.bits);
    default: {
      const oid = der.oid(keysWithoutParameters[key.kind]);
      return { keyType: oid, signatureAlgorithm: null, template: [der.sequence(oid)] };
    }
  }
}

/** RFC 9908 section 3.4: beyond RSA "the subjectPublicKey MUST be absent". */
function ecAttributes(name: keyof typeof curves): KeyAttributes {
  const { curve, signature } = curves[name];
  const key = der.oid(oids.ecPublicKey);
  return {
    keyType: der.sequence(key, der.set(der.oid(curve))),
    signatureAlgorithm: der.oid(signature),
    template: [der.sequence(key, der.oid(curve))],
  };
}

function rsaAttributes(bits: number): KeyAttributes {
  if (!Number.isInteger(bits) || bits < minimumRsaBits || bits > maximumRsaBits) {
    throw new SallyportError('unsupported', `RSA of ${bits} bits: ${minimumRsaBits} to ${maximumRsaBits}`);
  }
  const key = der.oid(oids.rsaEncryption);
  return {
    keyType: der.sequence(key, der.set(der.integer(bits))),
    signatureAlgorithm: der.oid(oids.sha256WithRsaEncryption),
    template: [der.sequence(key, der.null()), placeholderRsaKey(bits)],
  };
}

/**
 * RFC 9908 section 3.4: "a placeholder public key value of the desired RSA modulus length". All bits are ones: a length of
 * nothing less, and nobody takes it for a key.
 */
function placeholderRsaKey(bits: number): Der {
  const modulus = der.integer((1n << BigInt(bits)) - 1n);
  return der.bitString(der.sequence(modulus, der.integer(65_537)));
}
