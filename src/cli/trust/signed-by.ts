import { isSallyportError } from '#errors';
import { type Certificate, equalBytes, sameName, verifyCertificateSignature } from '#x509';

/** Whether `signer` is a CA of the issuer's name whose key made the signature (RFC 5280 section 6.1.3). */
export function isSignedBy(certificate: Certificate, signer: Certificate): boolean {
  if (!signer.isCa || !sameName(certificate.issuer, signer.subject)) return false;
  try {
    return verifyCertificateSignature(certificate, signer.spki);
  } catch (error) {
    // A public certificate may be signed in a way that is not on our list; ours never are.
    if (isSallyportError(error, 'unsupported', 'malformed', 'too-large')) return false;
    throw error;
  }
}

/** Whether a path leads from the certificate over some of the intermediates to the root. */
export function leadsTo(
  root: Certificate,
  certificate: Certificate,
  intermediates: readonly Certificate[],
): boolean {
  let frontier: readonly Certificate[] = [certificate];
  let unseen: readonly Certificate[] = intermediates;
  while (frontier.length > 0) {
    if (frontier.some((reached) => isSignedBy(reached, root))) return true;
    const signers = unseen.filter((signer) => frontier.some((reached) => isSignedBy(reached, signer)));
    unseen = unseen.filter((candidate) => !signers.includes(candidate));
    frontier = signers;
  }
  return false;
}

export function isSame(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.der, b.der);
}
