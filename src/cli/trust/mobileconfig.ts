import { createHash } from 'node:crypto';
import { formatName } from '#x509';
import { sha256Of } from './fingerprint.ts';
import type { PinnedCertificate, PinnedChain } from './pinned-chain.ts';
import { type PropertyValue, renderPropertyList } from './property-list.ts';

/**
 * An Apple configuration profile (Device Management: TopLevel, CertificateRoot, CertificatePKCS1). Apple replaces an installed profile by
 * one of the same PayloadIdentifier, so that is made of the issuer's name and its root: a renewed issuing CA updates what is installed,
 * a new root comes beside the old one. The same certificates give the same bytes.
 */
export function renderMobileconfig(chain: PinnedChain, authorityName: string): string {
  const identifier = `sallyport.trust.${chain.issuer}.${sha256Of(chain.root.certificate).slice(0, 16)}`;
  const hashes = chain.path.map(({ certificate }) => sha256Of(certificate));
  return renderPropertyList({
    PayloadContent: [
      certificatePayload(identifier, 'com.apple.security.root', 'root', chain.root),
      ...chain.below.map((one, at) =>
        certificatePayload(
          identifier,
          'com.apple.security.pkcs1',
          at === 0 ? 'issuing' : `issuing-${at + 1}`,
          one,
        ),
      ),
    ],
    PayloadDescription: `Trusts the certification authority of ${authorityName}.`,
    PayloadDisplayName: `${authorityName} (${chain.issuer})`,
    PayloadIdentifier: identifier,
    PayloadOrganization: authorityName,
    // macOS: into the System keychain, where its services look too. Others have no scopes.
    PayloadScope: 'System',
    PayloadType: 'Configuration',
    PayloadUUID: uuidOf('profile', identifier, ...hashes),
    PayloadVersion: 1,
  });
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
function uuidOf(...parts: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes
    .toString('hex')
    .toUpperCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
