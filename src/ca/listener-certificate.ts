import { SallyportError } from '#errors';
import {
  canonicalHostName,
  canonicalIpAddress,
  type Certificate,
  extendedKeyUsages,
  type GeneralName,
} from '#x509';
import { type OwnRequest, signOwn } from './own-certificate.ts';

/** What a listener's key does in TLS 1.3, and in TLS 1.2 with the suites that there are: it signs. */
export const listenerProfile = {
  name: 'listener',
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [extendedKeyUsages.serverAuth],
} as const satisfies Parameters<typeof signOwn>[1];

export type ListenerCertificateRequest = Omit<OwnRequest, 'subject'>;

/**
 * The certificate of a TLS listener of the authority itself. RFC 9525 section 2: the names are in subjectAltName alone, so that there is no subject;
 * hosts and addresses, and no wildcard.
 * @throws SallyportError 'lint' where it has no name or another one, or where the issuer ends before it
 */
export async function signListenerCertificate(request: ListenerCertificateRequest): Promise<Certificate> {
  requireListenerNames(request.subjectAltName);
  return signOwn({ ...request, subject: [] }, listenerProfile);
}

/** @throws SallyportError 'lint' */
export function requireListenerNames(names: readonly GeneralName[]): void {
  const strange = names.find((name) => !isListenerName(name));
  if (strange === undefined && names.length > 0) return;
  const what = strange === undefined ? 'no name' : `a ${strange.kind} that is neither a host nor an address`;
  throw new SallyportError('lint', `the certificate of a listener is not issued: it would have ${what}`);
}

function isListenerName({ kind, value }: GeneralName): boolean {
  return (
    (kind === 'dns' && canonicalHostName(value) === value) ||
    (kind === 'ip' && canonicalIpAddress(value) === value)
  );
}
