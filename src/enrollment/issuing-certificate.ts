import {
  type Certificate,
  type Der,
  findCertificationPath,
  parseCertificate,
  verifyCertificateSignature,
} from '#x509';
import { type Authority, path } from './authority.ts';
import { sha256Hex } from './digests.ts';

/** The CA of ours whose signature a certificate bears; null: none. */
export function issuingCertificate(presenter: Certificate, authority: Authority): Certificate | null {
  for (const { issuer } of authority.issuers.values()) {
    for (const candidate of path(issuer)) {
      if (isSignedBy(presenter, candidate)) return candidate;
    }
  }
  return null;
}

/**
 * One of ours, one that an identity of the configuration may have issued, or a registration authority on its list: it says who asks, whatever a
 * request says besides. `sent`: what came with it.
 */
export function isVouchedFor(certificate: Certificate, sent: readonly Der[], authority: Authority): boolean {
  if (issuingCertificate(certificate, authority) !== null) return true;
  const { identities } = authority.references;
  const digest = sha256Hex(certificate.der);
  const isListed = Object.values(identities).some(
    ({ kind, certificates }) => kind === 'ra' && certificates.includes(digest),
  );
  if (isListed || authority.identityCas.length === 0) return isListed;
  return findCertificationPath(certificate, sent.flatMap(parsedIfAny), authority.identityCas) !== null;
}

/** What a client sends beside its certificate helps to find a path, or is nothing. */
export function parsedIfAny(der: Der): Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch {
    return [];
  }
}

/** Whether the key of this CA, under its name, has signed it. */
export function isSignedBy(presenter: Certificate, candidate: Certificate): boolean {
  if (Buffer.compare(candidate.subjectDer, presenter.issuerDer) !== 0) return false;
  try {
    return verifyCertificateSignature(presenter, candidate.spki);
  } catch {
    // An algorithm that is not on the allow-list: nobody of ours signed with it.
    return false;
  }
}
