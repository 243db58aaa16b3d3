import { hash } from 'node:crypto';
import { encodeEntry } from '#audit';
import type { GeneralName, Name } from '#x509';

/** SHA-256 in lower-case hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** Digest of the names of a certificate: with it a secret and an approval are bound to them. */
export function namesDigest(names: { subject: Name; subjectAltName: readonly GeneralName[] }): string {
  return sha256Hex(encodeEntry({ subject: names.subject, subjectAltName: names.subjectAltName }));
}
