import { SallyportError } from '#errors';
import { type Der, der, oids } from '#x509';
import {
  type NameHash,
  type TpmHash,
  algorithms,
  digestOctets,
  hashOf,
  keyDerivationFunctions,
  nameHashOf,
  unsupported,
} from './algorithms.ts';
import { type ObjectAttribute, objectAttributesOf } from './object-attributes.ts';
import { TpmCursor } from './tpm-cursor.ts';

/** TPMT_PUBLIC of an asymmetric key (section 12.2.4). */
export interface TpmtPublic {
  readonly nameAlg: NameHash;
  readonly attributes: readonly ObjectAttribute[];
  /** null: empty, no policy authorizes its use. */
  readonly authPolicy: Uint8Array | null;
  /** Of a storage key; null of others. */
  readonly symmetric: { readonly keyBits: 128 | 192 | 256 } | null;
  /** null: whoever uses the key says which. */
  readonly scheme: KeyScheme | null;
  readonly key: RsaKey | EccKey;
}

export interface KeyScheme {
  readonly name: 'rsassa' | 'rsapss' | 'rsaes' | 'oaep' | 'ecdsa' | 'ecdh' | 'ecdaa' | 'ecschnorr';
  /** null: it has none, as RSAES. */
  readonly hash: TpmHash | null;
}

export interface RsaKey {
  readonly type: 'rsa';
  readonly modulus: Uint8Array;
  readonly exponent: number;
}

export interface EccKey {
  readonly type: 'ecc';
  readonly curve: Curve;
  /** Of the full length of the field. */
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

export interface Curve {
  /** As OpenSSL calls it. */
  readonly name: string;
  readonly oid: string;
  readonly bits: number;
  readonly octets: number;
}

/** TPM_ECC_CURVE (section 6.4) without the curves that nobody should use: P-192, P-224, BN and SM2. */
const curves: ReadonlyMap<number, Curve> = new Map([
  [0x0003, { name: 'prime256v1', oid: oids.prime256v1, bits: 256, octets: 32 }],
  [0x0004, { name: 'secp384r1', oid: oids.secp384r1, bits: 384, octets: 48 }],
  [0x0005, { name: 'secp521r1', oid: oids.secp521r1, bits: 521, octets: 66 }],
]);

/** As a certificate names it; undefined for those that are not read here. */
export function curveOf(oid: string): Curve | undefined {
  return [...curves.values()].find((curve) => curve.oid === oid);
}

const rsaSchemes = ['rsassa', 'rsapss', 'rsaes', 'oaep'] as const;
const eccSchemes = ['ecdsa', 'ecdh', 'ecdaa', 'ecschnorr'] as const;

const maximumDigestOctets = 64;
const maximumModulusOctets = 512;
const maximumCoordinateOctets = 66;
/** Section 12.2.3.5: "a value of zero indicates that the exponent is the default of 2^16 + 1". */
const defaultExponent = 65537;

/** Throws `malformed`, `too-large`, and `unsupported` for keyed hashes, symmetric ciphers and algorithms that are on no list here. */
export function parsePublic(bytes: Uint8Array): TpmtPublic {
  const cursor = new TpmCursor(bytes, 'TPMT_PUBLIC');
  const type = cursor.u16();
  if (type !== algorithms.rsa && type !== algorithms.ecc) throw unsupported('TPMT_PUBLIC type', type);
  const nameAlg = nameHashOf(cursor.u16(), 'nameAlg');
  const attributes = objectAttributesOf(cursor.u32());
  const authPolicy = authPolicyOf(cursor, nameAlg);
  const symmetric = symmetricOf(cursor);
  const scheme = schemeOf(cursor, type === algorithms.rsa ? rsaSchemes : eccSchemes);
  const key = type === algorithms.rsa ? rsaKeyOf(cursor) : eccKeyOf(cursor);
  cursor.finish();
  return { nameAlg, attributes, authPolicy, symmetric, scheme, key };
}

/** Section 12.2.4: "if there is a policy" its size is that of nameAlg's digest. */
function authPolicyOf(cursor: TpmCursor, nameAlg: NameHash): Uint8Array | null {
  const policy = cursor.sized(maximumDigestOctets, 'authPolicy');
  if (policy.length === 0) return null;
  if (policy.length !== digestOctets[nameAlg]) {
    throw new SallyportError('malformed', `authPolicy: ${policy.length} octets are no ${nameAlg}`);
  }
  return policy;
}

/** TPMT_SYM_DEF_OBJECT (section 11.1.7). */
function symmetricOf(cursor: TpmCursor): TpmtPublic['symmetric'] {
  const algorithm = cursor.u16();
  if (algorithm === algorithms.null) return null;
  if (algorithm !== algorithms.aes) throw unsupported('symmetric', algorithm);
  const keyBits = cursor.u16();
  if (keyBits !== 128 && keyBits !== 192 && keyBits !== 256) throw unsupported('keyBits of AES', keyBits);
  const mode = cursor.u16();
  if (mode !== algorithms.cfb) throw unsupported('mode of AES', mode);
  return { keyBits };
}

/** TPMT_RSA_SCHEME and TPMT_ECC_SCHEME (sections 11.2.4.2 and 11.2.5.6). */
function schemeOf(cursor: TpmCursor, known: readonly KeyScheme['name'][]): KeyScheme | null {
  const algorithm = cursor.u16();
  if (algorithm === algorithms.null) return null;
  const name = known.find((each) => algorithms[each] === algorithm);
  if (name === undefined) throw unsupported('scheme', algorithm);
  if (name === 'rsaes') return { name, hash: null };
  const hash = hashOf(cursor.u16(), 'hash of the scheme');
  // TPMS_SCHEME_ECDAA has a count, which says nothing of the key.
  if (name === 'ecdaa') cursor.u16();
  return { name, hash };
}

/** TPMS_RSA_PARMS and TPM2B_PUBLIC_KEY_RSA (sections 12.2.3.5 and 11.2.4.5). */
function rsaKeyOf(cursor: TpmCursor): RsaKey {
  const keyBits = cursor.u16();
  const exponent = cursor.u32() || defaultExponent;
  const modulus = cursor.sized(maximumModulusOctets, 'modulus');
  if (modulus.length * 8 !== keyBits || (modulus[0] ?? 0) < 0x80) {
    throw new SallyportError('malformed', `modulus: has not the ${keyBits} bits that the public area says`);
  }
  return { type: 'rsa', modulus, exponent };
}

/** TPMS_ECC_PARMS and TPMS_ECC_POINT (sections 12.2.3.6 and 11.2.5.2). */
function eccKeyOf(cursor: TpmCursor): EccKey {
  const identifier = cursor.u16();
  const curve = curves.get(identifier);
  if (curve === undefined) throw unsupported('curve', identifier);
  const kdf = cursor.u16();
  if (kdf !== algorithms.null) {
    if (!keyDerivationFunctions.includes(kdf)) throw unsupported('kdf', kdf);
    hashOf(cursor.u16(), 'hash of the kdf');
  }
  const x = coordinateOf(cursor, curve, 'x');
  const y = coordinateOf(cursor, curve, 'y');
  return { type: 'ecc', curve, x, y };
}

/** Some TPMs leave out leading zeros. */
function coordinateOf(cursor: TpmCursor, { octets }: Curve, field: string): Uint8Array {
  const written = cursor.sized(maximumCoordinateOctets, field);
  if (written.length === 0 || written.length > octets) {
    throw new SallyportError(
      'malformed',
      `${field}: ${written.length} octets are no coordinate of its curve`,
    );
  }
  const coordinate = new Uint8Array(octets);
  coordinate.set(written, octets - written.length);
  return coordinate;
}

/** The key as certificates and requests have it (RFC 3279 section 2.3.1, RFC 5480 section 2). */
export function subjectPublicKeyInfoOf(key: RsaKey | EccKey): Der {
  if (key.type === 'rsa') {
    return der.sequence(
      der.sequence(der.oid(oids.rsaEncryption), der.null()),
      der.bitString(der.sequence(der.integer(key.modulus), der.integer(key.exponent))),
    );
  }
  return der.sequence(
    der.sequence(der.oid(oids.ecPublicKey), der.oid(key.curve.oid)),
    der.bitString(Uint8Array.of(4, ...key.x, ...key.y)),
  );
}
