import { SallyportError } from '#errors';
import type { Der, DerNode } from './der-node.ts';
import { tags } from './der-tags.ts';

/** RFC 5280 section 4.1.1.2. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  /** null: absent, which is not the same as an ASN.1 NULL. */
  readonly parameters: DerNode | null;
  readonly der: Der;
}

export function algorithmIdentifierOf(node: DerNode): AlgorithmIdentifier {
  const fields = node.sequence('AlgorithmIdentifier');
  const oid = fields.next().oid('algorithm');
  const parameters = fields.more ? fields.next() : null;
  fields.finish();
  return { oid, parameters, der: node.der };
}

/** RFC 5758, 8410 and 9881: "the parameters field MUST be absent". Whatever may hide there is refused. */
export function requireNoParameters({ oid, parameters }: AlgorithmIdentifier): void {
  if (parameters !== null) {
    throw new SallyportError('malformed', `algorithm ${oid}: parameters must be absent`);
  }
}

/** RSA and hashes: NULL, or absent as many write it (RFC 4055 section 2.1). */
export function requireNullParameters({ oid, parameters }: AlgorithmIdentifier): void {
  if (parameters !== null && parameters.tag !== tags.null) {
    throw new SallyportError('malformed', `algorithm ${oid}: parameters must be NULL or absent`);
  }
}
