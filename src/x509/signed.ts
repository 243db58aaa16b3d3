import { SallyportError } from '#errors';
import type { KeyAlgorithm } from '#keys';
import { type AlgorithmIdentifier, algorithmIdentifierOf } from './algorithm-identifier.ts';
import type { Der, DerNode } from './der-node.ts';
import { der } from './der-writer.ts';
import { equalBytes } from './octets.ts';
import { signatureAlgorithmIdentifier } from './signature-algorithm.ts';

/** The outer form of certificates, CRLs and certification requests: what is signed, by which algorithm, the signature. */
export interface Signed {
  readonly toBeSigned: DerNode;
  readonly algorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

export function signedOf(node: DerNode, what: string): Signed {
  const fields = node.sequence(what);
  const toBeSigned = fields.next();
  const algorithm = algorithmIdentifierOf(fields.next());
  const signature = fields.next().bitStringOctets(`${what}: signature`);
  fields.finish();
  return { toBeSigned, algorithm, signature };
}

/** Puts a signature to a to-be-signed certificate or CRL. */
export function assembleSigned(tbs: Der, algorithm: KeyAlgorithm, signature: Uint8Array): Der {
  return der.sequence(tbs, signatureAlgorithmIdentifier(algorithm), der.bitString(signature));
}

/** RFC 5280 section 4.1.1.2: the algorithm outside "MUST contain the same algorithm identifier" as the one that is signed. */
export function requireSameAlgorithm(inside: Der, outside: Der): void {
  if (!equalBytes(inside, outside)) {
    throw new SallyportError(
      'malformed',
      'the signature algorithms inside and outside of what is signed differ',
    );
  }
}
