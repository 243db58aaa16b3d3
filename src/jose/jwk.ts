import { SallyportError } from '#errors';
import { type Der, der, inspectPublicKey, oids } from '#x509';
import { decodeBase64Url } from './base64url.ts';
import { type Members, membersOf } from './json.ts';

/** A public key that may sign, parsed and judged. */
export interface Jwk {
  readonly kty: KeyType;
  /** The same key as X.509 has it: what signatures are verified with and keys compared by. */
  readonly spki: Der;
  /** RFC 7638 section 3.2: the members that its kty requires and no others, in order, without white space. Parses to the same key. */
  readonly canonical: string;
}

export type KeyType = 'EC' | 'RSA' | 'OKP' | 'AKP';

/** For each kty the members that it requires, in lexicographic order: RFC 7638 section 3.2, RFC 8037 section 2, draft-ietf-cose-dilithium section 3. */
const requiredMembers: Readonly<Record<KeyType, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  RSA: ['e', 'kty', 'n'],
  OKP: ['crv', 'kty', 'x'],
  AKP: ['alg', 'kty', 'pub'],
};

/** Every member that holds a part of a key, public or private, of any kty (RFC 7518 section 6, RFC 8037, draft-ietf-cose-dilithium). */
const keyMembers = 'crv x y n e pub d p q dp dq qi oth k priv'.split(' ');

/**
 * A public key of one of four kinds. `malformed`: a member is missing, not canonical, off its curve, or of a private key or another
 * kind. `unsupported`: a kind, curve, size or weakness that is not accepted. Members with no part in the key (`use`, `kid`, `x5c`)
 * "MUST be ignored" (RFC 7517 section 4): who signs with a key says himself what it is for.
 */
export function parseJwk(value: unknown): Jwk {
  const members = membersOf(value, 'JWK');
  const kty = keyTypeOf(members);
  const required = requiredMembers[kty];
  const foreign = keyMembers.find((name) => Object.hasOwn(members, name) && !required.includes(name));
  if (foreign !== undefined) {
    throw new SallyportError('malformed', `JWK: "${foreign}" has no place in a public key of kty ${kty}`);
  }
  const texts = Object.fromEntries(required.map((name) => [name, textOf(members, name)]));
  const spki = encoders[kty]((name) => texts[name] ?? '');
  requireUsable(spki);
  return { kty, spki, canonical: JSON.stringify(texts) };
}

function keyTypeOf({ kty }: Members): KeyType {
  switch (kty) {
    case 'EC':
    case 'RSA':
    case 'OKP':
    case 'AKP':
      return kty;
    default:
      throw new SallyportError('unsupported', 'JWK: kty is none of EC, RSA, OKP and AKP');
  }
}

function textOf(members: Members, name: string): string {
  const text = members[name];
  if (typeof text !== 'string') throw new SallyportError('malformed', `JWK: "${name}" must be a string`);
  return text;
}

type Text = (member: string) => string;

const encoders: Readonly<Record<KeyType, (text: Text) => Der>> = {
  EC: ecKey,
  RSA: rsaKey,
  OKP: ed25519Key,
  AKP: mlDsaKey,
};

const curves: ReadonlyMap<string, { readonly oid: string; readonly octets: number }> = new Map([
  ['P-256', { oid: oids.prime256v1, octets: 32 }],
  ['P-384', { oid: oids.secp384r1, octets: 48 }],
]);

function ecKey(text: Text): Der {
  const curve = curves.get(text('crv'));
  if (curve === undefined) throw new SallyportError('unsupported', 'JWK: crv is neither P-256 nor P-384');
  // RFC 7518 section 6.2.1.2: "The length of this octet string MUST be the full size of a coordinate".
  const x = octetsOf(text, 'x', curve.octets);
  const y = octetsOf(text, 'y', curve.octets);
  return der.sequence(
    der.sequence(der.oid(oids.ecPublicKey), der.oid(curve.oid)),
    der.bitString(Uint8Array.of(4, ...x, ...y)),
  );
}

function rsaKey(text: Text): Der {
  return der.sequence(
    der.sequence(der.oid(oids.rsaEncryption), der.null()),
    der.bitString(der.sequence(der.integer(unsignedOf(text, 'n')), der.integer(unsignedOf(text, 'e')))),
  );
}

/** RFC 8037 section 2. */
function ed25519Key(text: Text): Der {
  if (text('crv') !== 'Ed25519') throw new SallyportError('unsupported', 'JWK: crv is not Ed25519');
  return der.sequence(der.sequence(der.oid(oids.ed25519)), der.bitString(octetsOf(text, 'x', 32)));
}

const mlDsa: ReadonlyMap<string, { readonly oid: string; readonly octets: number }> = new Map([
  ['ML-DSA-44', { oid: oids.mlDsa44, octets: 1312 }],
  ['ML-DSA-65', { oid: oids.mlDsa65, octets: 1952 }],
  ['ML-DSA-87', { oid: oids.mlDsa87, octets: 2592 }],
]);

function mlDsaKey(text: Text): Der {
  const parameters = mlDsa.get(text('alg'));
  if (parameters === undefined) throw new SallyportError('unsupported', 'JWK: alg of kty AKP is no ML-DSA');
  const key = octetsOf(text, 'pub', parameters.octets);
  return der.sequence(der.sequence(der.oid(parameters.oid)), der.bitString(key));
}

function octetsOf(text: Text, name: string, octets: number): Uint8Array {
  const bytes = decodeBase64Url(text(name), `JWK: "${name}"`);
  if (bytes.length !== octets) {
    throw new SallyportError('malformed', `JWK: "${name}" has ${bytes.length} octets, not ${octets}`);
  }
  return bytes;
}

/** Base64urlUInt (RFC 7518 section 2): "The octet sequence MUST utilize the minimum number of octets needed to represent the value." */
function unsignedOf(text: Text, name: string): Uint8Array {
  const bytes = decodeBase64Url(text(name), `JWK: "${name}"`);
  if (bytes.length === 0 || bytes[0] === 0) {
    throw new SallyportError('malformed', `JWK: "${name}" is empty or begins with a zero octet`);
  }
  return bytes;
}

/** RSA from 2048 (RFC 7518 section 3.3) to 8192 bits, and all else that is looked for in a key to be certified. */
function requireUsable(spki: Der): void {
  const { weaknesses } = inspectPublicKey(spki);
  if (weaknesses.includes('not-on-curve')) {
    throw new SallyportError('malformed', 'JWK: the key is on no point of its curve that may be used');
  }
  if (weaknesses.length > 0) {
    throw new SallyportError('unsupported', `JWK: the key is not accepted: ${weaknesses.join(', ')}`);
  }
}
