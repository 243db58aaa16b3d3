import { createHash } from 'node:crypto';
import { isSallyportError } from '#errors';
import { type Certificate, equalBytes, parseCertificate, readDer, verifyCertificateSignature } from '#x509';
import type { Identifier } from './identifier.ts';

/** id-pe-acmeIdentifier (RFC 8737 section 6.1). */
export const acmeIdentifierOid = '1.3.6.1.5.5.7.1.31';

/**
 * RFC 8737 section 3: what is wrong with the certificate that proves a tls-alpn-01 challenge; null: nothing. Section 4: it is not what RFC 5280 makes of a certificate, so
 * that neither its time nor its usages matter; its own signature "MAY" count, and does.
 */
export function certificateProblem(
  der: Uint8Array,
  identifier: Identifier,
  keyAuthorization: string,
): string | null {
  try {
    return problemOf(parseCertificate(der), identifier, keyAuthorization);
  } catch (error) {
    if (!isSallyportError(error, 'malformed', 'unsupported', 'too-large')) throw error;
    return 'cannot be read';
  }
}

function problemOf(
  certificate: Certificate,
  identifier: Identifier,
  keyAuthorization: string,
): string | null {
  const { issuerDer, subjectDer, spki, subjectAltName, extensions } = certificate;
  if (!equalBytes(issuerDer, subjectDer) || !verifyCertificateSignature(certificate, spki)) {
    return 'is not self-signed';
  }
  const [name, ...others] = subjectAltName;
  if (name === undefined || others.length > 0) return 'does not have exactly one alternative name';
  // "The comparison of dNSNames MUST be case insensitive". Addresses are canonical on both sides.
  if (name.kind !== identifier.type || name.value.toLowerCase() !== identifier.value) {
    return 'is not for this identifier';
  }
  const acmeIdentifier = extensions.find(({ oid }) => oid === acmeIdentifierOid);
  if (acmeIdentifier === undefined) return 'has no acmeIdentifier';
  if (!acmeIdentifier.critical) return 'has an acmeIdentifier that is not critical';
  const digest = createHash('sha256').update(keyAuthorization).digest();
  return equalBytes(readDer(acmeIdentifier.value).octetString('Authorization'), digest)
    ? null
    : 'has an acmeIdentifier of another key authorization';
}
