import { hash } from 'node:crypto';
import { type Certificate, parseBase64Certificate } from '#x509';
import type { Claims, Examination } from './examination.ts';
import { isIssuedBy } from './issued-by.ts';

/** Apple attests by a key of its own, and so does smallstep's authority; of what is read outside nobody says which it is. */
export function hasAttestingKey(claims: Claims): boolean {
  const { format } = claims;
  return (
    format !== 'apple' && format !== 'external' && !(format === 'step' && claims.kind === 'managed-device')
  );
}

/**
 * SHA-256 of the key in the hardware that vouches for the attested one (SubjectPublicKeyInfo, hexadecimal): the attestation key or endorsement key of a TPM; of a YubiKey and of
 * Android the one that signed the certificate of the attested key, which is found by its signature, whatever order they were sent in. null: there is none, it was not sent, or
 * several of those that were sent could be it: from a signature of ECDSA anybody computes another key by which it verifies.
 */
export function attestingKeyOf({
  statement,
  certificates,
}: Pick<Examination, 'statement' | 'certificates'>): string | null {
  if (statement === null || !hasAttestingKey(statement.claims)) return null;
  const { claims, identities } = statement;
  // Whatever algorithm its maker has certified it under.
  if (claims.format === 'endorsement') return identities.endorsementKey ?? null;
  const [leaf, ...others] = certificates.map(parseBase64Certificate);
  if (leaf === undefined) return null;
  if (!isBelowItsKey(claims)) return hash('sha256', leaf.spki);
  const signers = new Set(
    others.filter((each) => isIssuedBy(leaf, each)).map(({ spki }) => hash('sha256', spki)),
  );
  const [signer = null, ...more] = signers;
  return more.length === 0 ? signer : null;
}

/** Whether the path by which the evidence is believed goes through the key that is counted. What is not counted is held elsewhere. */
export function isCountedKey(
  examination: Pick<Examination, 'statement' | 'certificates'>,
  [, above]: readonly Certificate[],
): boolean {
  const { statement } = examination;
  if (statement === null || !isBelowItsKey(statement.claims) || above === undefined) return true;
  const counted = attestingKeyOf(examination);
  return counted === null || counted === hash('sha256', above.spki);
}

/** The attested key has a certificate by the key that attests; of a TPM that key has one itself. */
function isBelowItsKey({ format }: Claims): boolean {
  return format === 'android-key' || format === 'step';
}
