import { isSallyportError } from '#errors';
import { type Certificate, sameName, verifyCertificateSignature } from '#x509';

/** By name, and by a signature that verifies. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!sameName(certificate.issuer, issuer.subject)) return false;
  try {
    return verifyCertificateSignature(certificate, issuer.spki);
  } catch (error) {
    if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) return false;
    throw error;
  }
}
