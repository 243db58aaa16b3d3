import { createHash } from 'node:crypto';
import type { Certificate } from '#x509';

/** SHA-256 over the DER, lower-case hexadecimal. */
export function sha256Of({ der }: Certificate): string {
  return createHash('sha256').update(der).digest('hex');
}

/** What Apple and Windows compare: SHA-1 over the DER. */
export function sha1Of({ der }: Certificate): Uint8Array {
  return createHash('sha1').update(der).digest();
}

/** As `openssl x509 -fingerprint -sha256` prints it. */
export function fingerprintOf(certificate: Certificate): string {
  return sha256Of(certificate).toUpperCase().match(/../g)!.join(':');
}
