import { isSallyportError } from '#errors';
import { type Certificate, verifyCertificateSignature } from './certificate.ts';
import { parseBasicConstraints } from './extensions/basic-constraints.ts';
import { findExtension } from './extensions/extension.ts';
import { matchesName } from './name-matching.ts';
import { extensionOids } from './oids.ts';
import { equalBytes } from './octets.ts';

/** Critical extensions of which this and the caller make something. A name constraint is not among them, on purpose. */
const processed: ReadonlySet<string> = new Set([
  extensionOids.basicConstraints,
  extensionOids.keyUsage,
  extensionOids.extendedKeyUsage,
  extensionOids.subjectAltName,
  // Any policy will do (section 6.1.1 c), so that none fails a path but by policyConstraints and inhibitAnyPolicy, which are critical and not here.
  // STMicroelectronics marks it critical in its TPM CAs, and Microsoft in the certificates of attestation keys.
  extensionOids.certificatePolicies,
]);

/**
 * Whether the certificate may stand below another one: RFC 5280 section 4.2, "a certificate-using system MUST reject the
 * certificate if it encounters a critical extension it does not recognize or [...] cannot process".
 */
export function mayFollow({ extensions }: Certificate): boolean {
  return (
    extensions.every(({ critical, oid }) => !critical || processed.has(oid)) &&
    findExtension(extensions, extensionOids.nameConstraints) === null
  );
}

/**
 * Whether the certificate is a CA's (RFC 5280 section 6.1.4 k and n), which version 1 cannot say. One with name constraints,
 * critical or not, never issues: to pass them over would be to issue beyond them.
 */
export function mayIssue({ isCa, keyUsage, extensions, subject }: Certificate): boolean {
  return (
    isCa &&
    (keyUsage === null || keyUsage.includes('keyCertSign')) &&
    findExtension(extensions, extensionOids.nameConstraints) === null &&
    // Section 4.1.2.4: "The issuer field MUST contain a non-empty distinguished name".
    subject.length > 0
  );
}

/**
 * Whether `issuer` may have issued the certificate, by its name (RFC 5280 section 6.1.3 a 4) and by the key identifiers, which
 * tell keys of one name apart and of which either may be absent (sections 4.2.1.1 and 4.2.1.2). No signature is verified.
 */
export function namesIssuer(
  { issuer, authorityKeyIdentifier }: Certificate,
  { subject, subjectKeyIdentifier }: Certificate,
): boolean {
  if (!matchesName(issuer, subject)) return false;
  if (authorityKeyIdentifier === null || subjectKeyIdentifier === null) return true;
  return equalBytes(authorityKeyIdentifier, subjectKeyIdentifier);
}

/** pathLenConstraint: how many CAs "may follow this certificate" that are not self-issued (section 4.2.1.9). */
export function pathLength({ extensions }: Certificate): number {
  const value = findExtension(extensions, extensionOids.basicConstraints);
  return value === null ? 0 : (parseBasicConstraints(value).pathLength ?? Infinity);
}

/** An algorithm or a key that is not on the allow-lists is a signature that does not verify. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return verifyCertificateSignature(certificate, issuer.spki);
  } catch (error) {
    if (isSallyportError(error, 'malformed', 'unsupported', 'too-large')) return false;
    throw error;
  }
}
