import { identifierOf, named, type OrderIdentifier } from '#enrollment';
import { type Certificate, parseCertificate } from '#x509';
import { malformed, notHere } from './problems.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import type { OrderedCertificate } from './store.ts';

const pollSeconds = 6 * 3600;

/** RFC 9773 section 4. Anybody may ask: what is told is of the certificate that is named, and nothing that it does not say itself. */
export async function renewalInfo(exchange: Exchange, ports: AcmePorts): Promise<Reply> {
  const certificate = await certificateOfId(exchange.parts[0] ?? '', ports);
  if (certificate === null || certificate.account === null) throw notHere();
  const { notBefore, notAfter, revokedAt, template } = certificate;
  const settings = named(ports.authority().references.templates, template);
  const validity = notAfter - notBefore;
  const wanted = (settings?.renewalWindowSeconds ?? 0) * 1000;
  // Where a renewal may come at any time, a third before the end is soon enough; nobody is told to come before the window opens.
  const open = wanted > 0 && wanted < validity ? wanted : validity / 3;
  // Section 4.2: who selects a time in the past is to "attempt renewal immediately", and what is revoked is to be replaced now.
  const end = revokedAt === null ? notAfter - open / 2 : revokedAt;
  const start = revokedAt === null ? notAfter - open : Math.min(notBefore, revokedAt - 1000);
  return {
    status: 200,
    headers: { 'Retry-After': String(pollSeconds) },
    body: {
      suggestedWindow: { start: new Date(start).toISOString(), end: new Date(end).toISOString() },
    },
  };
}

/** @throws AcmeError where it is no identifier of RFC 9773 section 4.1 */
export async function certificateOfId(
  certID: string,
  { authority, store, now }: AcmePorts,
): Promise<(OrderedCertificate & { readonly identifiers: readonly OrderIdentifier[] }) | null> {
  const [, key, serial] = /^([A-Za-z0-9_-]{1,86})\.([A-Za-z0-9_-]{1,28})$/.exec(certID) ?? [];
  if (key === undefined || serial === undefined) {
    throw malformed('this is no certificate identifier of RFC 9773');
  }
  const serialNumber = Buffer.from(serial, 'base64url')
    .toString('hex')
    .replace(/^(?:00)+(?=.)/, '');
  for (const { issuer } of authority().issuers.values()) {
    const found = await store.certificate({ issuer: issuer.name, serialNumber, now: now() });
    if (found === null) continue;
    const parsed = parseCertificate(found.der);
    if (certIDOf(parsed) !== certID) continue;
    const identifiers = parsed.subjectAltName.map(identifierOf).filter((each) => each !== null);
    return { ...found, identifiers };
  }
  return null;
}

/** RFC 9773 section 4.1: the key identifier of its issuer and its serial number as DER has it, each in base64url, with a dot between. null: it has no such identifier. */
export function certIDOf({ authorityKeyIdentifier, serialNumber }: Certificate): string | null {
  if (authorityKeyIdentifier === null) return null;
  const octets = Buffer.from(serialNumber, 'hex');
  const serial = octets[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
  return `${Buffer.from(authorityKeyIdentifier).toString('base64url')}.${serial.toString('base64url')}`;
}
