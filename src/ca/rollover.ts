import { SallyportError } from '#errors';
import { type Certificate, equalBytes, sameName, verifyCertificateSignature } from '#x509';

/**
 * Certificates beside an issuer's path, by which clients go from an old root to the current one: OldWithOld, OldWithNew and NewWithOld
 * (RFC 4210 section 4.4, RFC 7030 section 4.1.3), and the CAs below the old root whose certificates are still in use.
 *
 * @throws SallyportError 'config' where one of them leads nowhere: it would be published to every device
 */
export function requireRollover(
  name: string,
  path: readonly Certificate[],
  rollover: readonly Certificate[],
): void {
  const root = path.at(-1)!;
  const all = [...path, ...rollover];
  for (const certificate of rollover) {
    const problem =
      all.filter(({ der }) => equalBytes(der, certificate.der)).length > 1
        ? 'stands twice, or in the chain'
        : !all.some((signer) => signed(certificate, signer))
          ? 'is signed by none of the others, nor by one of the chain'
          : signed(certificate, certificate)
            ? problemOfOldRoot(certificate, root, rollover)
            : null;
    if (problem !== null) {
      throw new SallyportError('config', `issuer ${name}: a rollover certificate ${problem}`);
    }
  }
}

function problemOfOldRoot(
  old: Certificate,
  root: Certificate,
  rollover: readonly Certificate[],
): string | null {
  // RFC 7030 section 4.1.3: the most recent self-signed certificate "has the latest NotAfter date".
  if (old.notAfter >= root.notAfter) {
    return 'is a root that does not end before that of the chain: clients would take it for the current one';
  }
  const linked = rollover.some(
    (one) => (sameAuthority(one, old) && signed(one, root)) || (sameAuthority(one, root) && signed(one, old)),
  );
  return linked
    ? null
    : 'is a root that has nothing to do with that of the chain: list OldWithNew or NewWithOld beside it';
}

function signed(certificate: Certificate, signer: Certificate): boolean {
  return sameName(certificate.issuer, signer.subject) && verifyCertificateSignature(certificate, signer.spki);
}

/** One authority may have several certificates: its name and its key make it. */
function sameAuthority(one: Certificate, other: Certificate): boolean {
  return sameName(one.subject, other.subject) && equalBytes(one.spki, other.spki);
}
