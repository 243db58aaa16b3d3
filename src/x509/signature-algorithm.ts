import { SallyportError } from '#errors';
import type { KeyAlgorithm } from '#keys';
import {
  type AlgorithmIdentifier,
  algorithmIdentifierOf,
  requireNoParameters,
  requireNullParameters,
} from './algorithm-identifier.ts';
import { type Der, readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { oids } from './oids.ts';
import { pssParametersOf } from './pss-parameters.ts';

/** What a signature AlgorithmIdentifier means. SHA-1 and MD5 are nowhere on the list. */
export type SignatureScheme =
  | { readonly family: 'rsa-pkcs1' | 'ecdsa'; readonly hash: SignatureHash }
  | { readonly family: 'rsa-pss'; readonly hash: SignatureHash; readonly saltLength: number }
  | { readonly family: 'ed25519' }
  | { readonly family: 'ml-dsa'; readonly keyOid: string };
export type SignatureHash = 'sha256' | 'sha384' | 'sha512';

const schemes: ReadonlyMap<string, SignatureScheme> = new Map<string, SignatureScheme>([
  [oids.sha256WithRsaEncryption, { family: 'rsa-pkcs1', hash: 'sha256' }],
  [oids.sha384WithRsaEncryption, { family: 'rsa-pkcs1', hash: 'sha384' }],
  [oids.sha512WithRsaEncryption, { family: 'rsa-pkcs1', hash: 'sha512' }],
  [oids.ecdsaWithSha256, { family: 'ecdsa', hash: 'sha256' }],
  [oids.ecdsaWithSha384, { family: 'ecdsa', hash: 'sha384' }],
  [oids.ecdsaWithSha512, { family: 'ecdsa', hash: 'sha512' }],
  [oids.ed25519, { family: 'ed25519' }],
  [oids.mlDsa44, { family: 'ml-dsa', keyOid: oids.mlDsa44 }],
  [oids.mlDsa65, { family: 'ml-dsa', keyOid: oids.mlDsa65 }],
  [oids.mlDsa87, { family: 'ml-dsa', keyOid: oids.mlDsa87 }],
]);

/** What each key signs with: the AlgorithmIdentifier of certificates and CRLs, DER. */
const identifiers: Readonly<Record<KeyAlgorithm, Der>> = {
  'ec-p256': der.sequence(der.oid(oids.ecdsaWithSha256)),
  'ec-p384': der.sequence(der.oid(oids.ecdsaWithSha384)),
  'rsa-2048': der.sequence(der.oid(oids.sha256WithRsaEncryption), der.null()),
  'rsa-3072': der.sequence(der.oid(oids.sha256WithRsaEncryption), der.null()),
  'rsa-4096': der.sequence(der.oid(oids.sha256WithRsaEncryption), der.null()),
  ed25519: der.sequence(der.oid(oids.ed25519)),
  'ml-dsa-44': der.sequence(der.oid(oids.mlDsa44)),
  'ml-dsa-65': der.sequence(der.oid(oids.mlDsa65)),
  'ml-dsa-87': der.sequence(der.oid(oids.mlDsa87)),
};

/** The signature AlgorithmIdentifier for a signing key. */
export function signatureAlgorithmIdentifier(algorithm: KeyAlgorithm): Der {
  return identifiers[algorithm];
}

/**
 * Reads an AlgorithmIdentifier, or a dotted OID that needs no parameters. Throws `unsupported` for what is not on the
 * allow-list and `malformed` for parameters that its algorithm does not have.
 */
export function parseSignatureAlgorithm(algorithm: Der | string): SignatureScheme {
  if (typeof algorithm === 'string') return schemeOfOid(algorithm);
  const identifier = algorithmIdentifierOf(readDer(algorithm));
  if (identifier.oid === oids.rsassaPss) return { family: 'rsa-pss', ...pssParametersOf(identifier) };
  const scheme = schemeOfOid(identifier.oid);
  requireParametersOf(scheme, identifier);
  return scheme;
}

function schemeOfOid(oid: string): SignatureScheme {
  const scheme = schemes.get(oid);
  if (scheme === undefined) {
    throw new SallyportError('unsupported', `signature algorithm ${oid} is not accepted`);
  }
  return scheme;
}

function requireParametersOf(scheme: SignatureScheme, identifier: AlgorithmIdentifier): void {
  if (scheme.family === 'rsa-pkcs1') requireNullParameters(identifier);
  else requireNoParameters(identifier);
}
