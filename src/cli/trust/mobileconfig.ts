import { chainPayloads, uuidOf } from './certificate-payload.ts';
import { sha256Of } from './fingerprint.ts';
import type { PinnedChain } from './pinned-chain.ts';
import { renderPropertyList } from './property-list.ts';

/**
 * An Apple configuration profile (Device Management: TopLevel, CertificateRoot, CertificatePKCS1). Apple replaces an installed profile by
 * one of the same PayloadIdentifier, so that is made of the issuer's name and its root: a renewed issuing CA updates what is installed,
 * a new root comes beside the old one. The same certificates give the same bytes.
 */
export function renderMobileconfig(chain: PinnedChain, authorityName: string): string {
  const identifier = `sallyport.trust.${chain.issuer}.${sha256Of(chain.root.certificate).slice(0, 16)}`;
  const hashes = chain.path.map(({ certificate }) => sha256Of(certificate));
  return renderPropertyList({
    PayloadContent: chainPayloads(identifier, chain),
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
