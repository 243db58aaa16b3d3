import { type AlgorithmIdentifier, algorithmIdentifierOf } from './algorithm-identifier.ts';
import type { Der, DerNode } from './der-node.ts';

/** RFC 5280 section 4.1.2.7. */
export interface SubjectPublicKeyInfo {
  readonly der: Der;
  readonly algorithm: AlgorithmIdentifier;
  /** The octets of the BIT STRING. */
  readonly publicKey: Uint8Array;
}

export function subjectPublicKeyInfoOf(node: DerNode): SubjectPublicKeyInfo {
  const fields = node.sequence('SubjectPublicKeyInfo');
  const algorithm = algorithmIdentifierOf(fields.next());
  const publicKey = fields.next().bitStringOctets('subjectPublicKey');
  fields.finish();
  return { der: node.der, algorithm, publicKey };
}
