import { SallyportError } from '#errors';
import { type Certificate, extendedKeyUsages, inspectPublicKey } from '#x509';
import { type OwnRequest, signOwn } from './own-certificate.ts';

export type RaCertificateRequest = Omit<OwnRequest, 'subjectAltName'>;

/**
 * The certificate of the RA that opens SCEP's requests and signs its answers (RFC 8894 section 2.1.2: digitalSignature and keyEncipherment). Its
 * extended key usage is that of messages: without one, RADIUS and TLS servers would take it for a client's, and none of a registration authority's
 * gives it powers at another one.
 * @throws SallyportError 'key' where the key is not RSA, 'lint' where the issuer ends before it
 */
export async function signRaCertificate(request: RaCertificateRequest): Promise<Certificate> {
  if (!inspectPublicKey(request.spki).algorithm.startsWith('rsa-')) {
    throw new SallyportError('key', 'the key of an RA is RSA: SCEP encrypts to it');
  }
  return signOwn(
    { ...request, subjectAltName: [] },
    {
      name: 'ra',
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: [extendedKeyUsages.emailProtection],
    },
  );
}
