import { hash } from 'node:crypto';
import { type Certificate, parseCertificate } from '#x509';
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
 * Android the one that signed the certificate of the attested key, which is found by its signature, whatever order they were sent in. null: there is none, or it was not sent.
 */
export function attestingKeyOf({ statement, certificates }: Examination): string | null {
  if (statement === null || !hasAttestingKey(statement.claims)) return null;
  const [first, ...others] = certificates;
  if (first === undefined) return null;
  const leaf = certificateOf(first);
  const { format } = statement.claims;
  const attesting =
    format === 'android-key' || format === 'step'
      ? others.map(certificateOf).find((each) => isIssuedBy(leaf, each))
      : leaf;
  return attesting === undefined ? null : hash('sha256', attesting.spki);
}

function certificateOf(base64: string): Certificate {
  return parseCertificate(new Uint8Array(Buffer.from(base64, 'base64')));
}
