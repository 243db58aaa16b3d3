import { isSallyportError } from '#errors';
import { type Certificate, type Der, findCertificationPath } from '#x509';
import type { Authority } from './authority.ts';
import { sha256Hex } from './digests.ts';
import { parsedIfAny } from './issuing-certificate.ts';
import type { ManagementObservation, SourceObservation } from './observations.ts';

/** What the client sent in the handshake, which proved its key. */
export interface SentCertificate {
  readonly certificate: Der;
  readonly sent: readonly Der[];
}

/**
 * The management client of a listener that demands one: nothing where it demands none. A certificate that cannot be read is none.
 * `clientCertificate` is asked for there alone.
 */
export function observeManagement(
  listener: string,
  clientCertificate: () => SentCertificate | null,
  { managementCertificates }: Authority,
): Pick<SourceObservation, 'management'> {
  const listed = managementCertificates.get(listener);
  if (listed === undefined) return {};
  const client = standing(clientCertificate);
  return { management: client === null ? null : observed(client, listed) };
}

/** Of a connection that has ended there is nothing to see any more, and nobody to answer. */
function standing(clientCertificate: () => SentCertificate | null): SentCertificate | null {
  try {
    return clientCertificate();
  } catch (error) {
    if (isSallyportError(error, 'malformed')) return null;
    throw error;
  }
}

function observed({ certificate: der, sent }: SentCertificate, listed: readonly Certificate[]) {
  const [certificate] = parsedIfAny(der);
  if (certificate === undefined) return null;
  const isListed = listed.some((each) => Buffer.compare(each.der, certificate.der) === 0);
  const cas = listed.filter(({ isCa }) => isCa);
  const above = isListed ? [certificate] : findCertificationPath(certificate, sent.flatMap(parsedIfAny), cas);
  const { isCa, extendedKeyUsage } = certificate;
  const observation: ManagementObservation = {
    sha256: sha256Hex(certificate.der),
    isCa,
    extendedKeyUsage,
    path: (above ?? []).map(({ der: each, notBefore, notAfter }) => ({
      sha256: sha256Hex(each),
      notBefore,
      notAfter,
    })),
  };
  return observation;
}
