import { SallyportError } from '#errors';
import {
  type AlgorithmIdentifier,
  algorithmIdentifierOf,
  requireNullParameters,
} from './algorithm-identifier.ts';
import type { DerCursor } from './der-node.ts';
import { contextConstructed } from './der-tags.ts';
import { oids } from './oids.ts';
import type { SignatureHash } from './signature-algorithm.ts';

const hashes: ReadonlyMap<string, { readonly hash: SignatureHash; readonly octets: number }> = new Map([
  [oids.sha256, { hash: 'sha256', octets: 32 }],
  [oids.sha384, { hash: 'sha384', octets: 48 }],
  [oids.sha512, { hash: 'sha512', octets: 64 }],
]);

/** No modulus we verify with has room for more. */
const maximumSaltLength = 1024;

/**
 * RSASSA-PSS-params (RFC 4055 section 3.1). Hash and mask hash are the same of SHA-256, 384 and 512: the defaults, which
 * mean SHA-1, are `unsupported`. The salt is as long as the hash at least; OpenSSL's default fills the modulus.
 */
export function pssParametersOf(identifier: AlgorithmIdentifier): {
  hash: SignatureHash;
  saltLength: number;
} {
  const fields = identifier.parameters?.sequence('RSASSA-PSS-params');
  const hashOid = fields === undefined ? null : hashAlgorithm(fields);
  const maskHashOid = fields === undefined ? null : maskHashAlgorithm(fields);
  const known = hashOid === null ? undefined : hashes.get(hashOid);
  if (fields === undefined || known === undefined || maskHashOid !== hashOid) {
    throw new SallyportError(
      'unsupported',
      'RSASSA-PSS: only SHA-256, SHA-384 and SHA-512, the same for both hashes',
    );
  }
  const salt = fields.optional(contextConstructed(2))?.children('saltLength');
  const saltLength = salt?.next().smallInteger('saltLength') ?? 20;
  salt?.finish();
  // trailerField [3] has one value, its default, which DER does not encode.
  fields.finish();
  if (saltLength < known.octets || saltLength > maximumSaltLength) {
    throw new SallyportError('unsupported', `RSASSA-PSS: salt of ${saltLength} octets with ${known.hash}`);
  }
  return { hash: known.hash, saltLength };
}

function hashAlgorithm(fields: DerCursor): string | null {
  const inside = fields.optional(contextConstructed(0))?.children('hashAlgorithm');
  if (inside === undefined) return null;
  const identifier = algorithmIdentifierOf(inside.next());
  inside.finish();
  requireNullParameters(identifier);
  return identifier.oid;
}

function maskHashAlgorithm(fields: DerCursor): string | null {
  const inside = fields.optional(contextConstructed(1))?.children('maskGenAlgorithm');
  if (inside === undefined) return null;
  const mask = algorithmIdentifierOf(inside.next());
  inside.finish();
  if (mask.oid !== oids.mgf1 || mask.parameters === null) return null;
  const identifier = algorithmIdentifierOf(mask.parameters);
  requireNullParameters(identifier);
  return identifier.oid;
}
