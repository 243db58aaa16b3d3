import { createHash } from 'node:crypto';
import { formatName } from '#x509';
import { sha256Of } from './fingerprint.ts';
import type { PinnedCertificate, PinnedChain } from './pinned-chain.ts';
import type { PropertyValue } from './property-list.ts';

/** The chain as payloads of the Apple profile of this identifier (Device Management: CertificateRoot, CertificatePKCS1). */
export function chainPayloads(profile: string, { root, below }: PinnedChain): PropertyValue[] {
  return [
    certificatePayload(profile, 'com.apple.security.root', 'root', root),
    ...below.map((one, at) =>
      certificatePayload(
        profile,
        'com.apple.security.pkcs1',
        at === 0 ? 'issuing' : `issuing-${at + 1}`,
        one,
      ),
    ),
  ];
}

function certificatePayload(
  profile: string,
  type: 'com.apple.security.root' | 'com.apple.security.pkcs1',
  file: string,
  { certificate }: PinnedCertificate,
): PropertyValue {
  const sha256 = sha256Of(certificate);
  return {
    PayloadCertificateFileName: `${file}.cer`,
    PayloadContent: certificate.der,
    PayloadDescription: `SHA-256 ${sha256}`,
    PayloadDisplayName: formatName(certificate.subject),
    PayloadIdentifier: `${profile}.${sha256.slice(0, 16)}`,
    PayloadType: type,
    PayloadUUID: uuidOf('certificate', profile, sha256),
    PayloadVersion: 1,
  };
}

/** RFC 9562 section 5.8: a UUID of version 8 over a hash. */
export function uuidOf(...parts: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes
    .toString('hex')
    .toUpperCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
