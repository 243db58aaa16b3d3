import type { EvidenceFormat, TrustAnchors } from '#evidence';
import { type Extension, parseCertificate, verifyCertificateSignature } from '#x509';
import type { Certified } from '../../test/harness/pki.ts';

/** A chain that is made here, the leaf first and the root last, as no device could be asked: by the vendor's documentation, with keys in software. */
export interface AnchoredChain {
  readonly certificates: readonly Uint8Array[];
  readonly anchors: readonly TrustAnchors[];
  /** The bare verifications of the path. Throws where one fails. */
  readonly pathFloor: () => void;
}

/** `leaf` with the intermediates that it would send, below this root. */
export function anchoredChain(
  format: EvidenceFormat,
  leaf: Certified,
  intermediates: readonly Certified[],
  root: Certified,
): AnchoredChain {
  const certificates = [leaf, ...intermediates, root].map(({ certificate }) => new Uint8Array(certificate));
  const parsed = certificates.map((each) => parseCertificate(each));
  const roots = [Buffer.from(root.certificate).toString('base64')];
  return {
    certificates,
    anchors: [{ name: 'made here', format, level: null, roots, intermediates: [] }],
    pathFloor() {
      for (const [at, each] of parsed.slice(0, -1).entries()) {
        if (!verifyCertificateSignature(each, parsed[at + 1]!.spki)) {
          throw new Error(`a path of ${format} does not verify`);
        }
      }
    },
  };
}

export function extensionOf(oid: string, value: Uint8Array): Extension {
  return { oid, critical: false, value };
}

export const nonce = { toBeSigned: Buffer.from('token.thumbprint'), token: Buffer.from('token') };
