import { revocationReasons, type RevocationReason } from '#ca';
import type { StoredCertificateInfo } from '../store.ts';
import { isoTime, isoTimeOrNull } from './time.ts';

export interface CertificateView {
  readonly serialNumber: string;
  readonly sha256: string;
  readonly issuer: string;
  readonly device: string;
  readonly template: string;
  readonly state: 'current' | 'expired' | 'revoked';
  readonly notBefore: string;
  readonly notAfter: string;
  readonly revokedAt: string | null;
  readonly revocationReason: RevocationReason | null;
  /** SHA-256 of the certificate that this one renews. */
  readonly predecessor: string | null;
  /** SHA-256 of the public key. */
  readonly spki: string;
  /** Number of the log that recorded its issuance: 0 is the first, and each restore began another. */
  readonly log: number;
  /** Index of the entry in it. */
  readonly logIndex: number;
}

export function certificateView(certificate: StoredCertificateInfo, now: number): CertificateView {
  const { serialNumber, sha256, issuer, deviceId, template, predecessor, spki, log, logIndex } = certificate;
  return {
    serialNumber,
    sha256,
    issuer,
    device: deviceId,
    template,
    state: certificateState(certificate, now),
    notBefore: isoTime(certificate.notBefore),
    notAfter: isoTime(certificate.notAfter),
    revokedAt: isoTimeOrNull(certificate.revokedAt),
    revocationReason: reasonName(certificate.revocationReason),
    predecessor,
    spki,
    log,
    logIndex,
  };
}

function certificateState(
  { revokedAt, notAfter }: StoredCertificateInfo,
  now: number,
): CertificateView['state'] {
  if (revokedAt !== null) return 'revoked';
  // RFC 5280 section 4.1.2.5: the validity period is "inclusive" of notAfter.
  return now > notAfter ? 'expired' : 'current';
}

function reasonName(reason: number | null): RevocationReason | null {
  const known = Object.entries(revocationReasons) as [RevocationReason, number][];
  return known.find(([, code]) => code === reason)?.[0] ?? null;
}
