import { SallyportError } from '#errors';
import { type Der, type DerNode, contextConstructed, readDer, tags } from '#x509';

/** AttestationBundle (draft-ietf-lamps-csr-attestation-30 section 4.1), the one value of the attribute id-aa-attestation. Nobody has read its statements yet. */
export interface AttestationBundle {
  readonly statements: readonly BundledStatement[];
  /** DER, in the order in which they were sent, which means nothing. */
  readonly certificates: readonly Der[];
}

export interface BundledStatement {
  /** Dotted OID. */
  readonly type: string;
  readonly value: DerNode;
  /** Older drafts had a third field, for whoever verifies it. It is passed over. */
  readonly hasHint: boolean;
}

export const statementTypes = {
  /** tcg-attest-tpm-certify. */
  tpmCertify: '2.23.133.20.1',
  /** Ours, of an arc that needs no registration (X.667): an OCTET STRING with the attestation object that device-attest-01 has. */
  attestationObject: '2.25.955999224760116241085136571371899899',
} as const;

const maximumStatements = 8;
const maximumCertificates = 10;
const maximumCertificateBytes = 8 * 1024;

/** Throws `malformed` or `too-large`. */
export function parseAttestationBundle(bytes: Uint8Array): AttestationBundle {
  const fields = readDer(bytes).sequence('AttestationBundle');
  const statements = [...fields.next().sequence('attestations')].map(statementOf);
  const certificates = fields.more ? [...fields.next().sequence('certs')] : null;
  fields.finish();
  requireCount(statements.length, maximumStatements, 'attestations');
  if (certificates !== null) requireCount(certificates.length, maximumCertificates, 'certs');
  return { statements, certificates: (certificates ?? []).flatMap(certificateOf) };
}

function statementOf(node: DerNode): BundledStatement {
  const fields = node.sequence('AttestationStatement');
  const type = fields.next().oid('type');
  const value = fields.next();
  const hint = fields.optional(tags.utf8String) ?? fields.optional(tags.ia5String);
  fields.finish();
  return { type, value, hasHint: hint !== null };
}

/** LimitedCertChoices: a certificate, or [3] something else, of which nothing is made. */
function certificateOf(node: DerNode): readonly Der[] {
  if (node.tag === contextConstructed(3)) return [];
  if (node.tag !== tags.sequence) throw new SallyportError('malformed', 'certs: expected a certificate');
  if (node.der.length > maximumCertificateBytes) {
    throw new SallyportError('too-large', `certs: a certificate of ${node.der.length} bytes`);
  }
  return [node.der];
}

function requireCount(count: number, maximum: number, what: string): void {
  if (count === 0) throw new SallyportError('malformed', `${what}: empty`);
  if (count > maximum) {
    throw new SallyportError('too-large', `${what}: ${count}, at most ${maximum} are read`);
  }
}
