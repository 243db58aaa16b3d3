import { type Certificate, findCertificationPath, verifyCertificateSignature } from '#x509';
import { type Authority, path } from './authority.ts';

/** The CA of ours whose signature a certificate bears; null: none. */
export function issuingCertificate(presenter: Certificate, authority: Authority): Certificate | null {
  for (const { issuer } of authority.issuers.values()) {
    for (const candidate of path(issuer)) {
      if (Buffer.compare(candidate.subjectDer, presenter.issuerDer) !== 0) continue;
      if (verifies(presenter, candidate)) return candidate;
    }
  }
  return null;
}

/** One of ours, or one that an identity of the configuration may have issued: it says who asks, whatever a request says besides. */
export function isVouchedFor(certificate: Certificate, authority: Authority): boolean {
  return (
    issuingCertificate(certificate, authority) !== null ||
    findCertificationPath(certificate, [], authority.identityCas) !== null
  );
}

function verifies(presenter: Certificate, candidate: Certificate): boolean {
  try {
    return verifyCertificateSignature(presenter, candidate.spki);
  } catch {
    // An algorithm that is not on the allow-list: nobody of ours signed with it.
    return false;
  }
}
