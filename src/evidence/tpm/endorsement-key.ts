import { type Certificate, type Der, equalBytes, extendedKeyUsages, inspectPublicKey } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import { requireStrongKey } from './key-strength.ts';
import { requireAttributes } from './object-attributes.ts';
import { endorsementSpki } from './endorsement-spki.ts';
import { endorsementTemplate } from './endorsement-template.ts';
import { type TpmtPublic, parsePublic, subjectPublicKeyInfoOf } from './public-area.ts';
import { type TpmDevice, tpmDeviceOf } from './tpm-device.ts';

type StorageKey = Pick<TpmtPublic, 'key' | 'nameAlg'> & { readonly keyBits: number };

/** The key by which a TPM is known from its manufacture on, with the manufacturer's certificate of it. `of` alone makes one. */
export class EndorsementKey {
  readonly certificate: Certificate;
  /** Not always as the certificate writes it. */
  readonly spki: Der;
  readonly key: TpmtPublic['key'];
  readonly nameAlg: TpmtPublic['nameAlg'];
  /** Of the AES by which it protects what is sent to it. */
  readonly keyBits: number;
  /** null: the certificate does not say. */
  readonly device: TpmDevice | null;

  private constructor(certificate: Certificate, spki: Der, { key, nameAlg, keyBits }: StorageKey) {
    this.certificate = certificate;
    this.spki = spki;
    this.key = key;
    this.nameAlg = nameAlg;
    this.keyBits = keyBits;
    this.device = tpmDeviceOf(certificate.subjectAltName);
  }

  /**
   * What the templates of the EK Credential Profile have in common (annex B): a storage key that never leaves the TPM and opens nothing but what
   * TPM2_ActivateCredential does. Without its public area the key is one of those templates: that it is a TPM's the manufacturer says in either case. Whether the
   * certificate has a path to a manufacturer's root is for an appraisal. Throws EvidenceRefused, `malformed`, `unsupported` or `too-large`.
   */
  static of(certificate: Certificate, publicArea: Uint8Array | null): EndorsementKey {
    requireCertificate(certificate);
    const spki = endorsementSpki(certificate);
    const facts = inspectPublicKey(spki);
    if (publicArea === null) {
      requireStrongKey(facts, 'ek-strength');
      return new EndorsementKey(certificate, spki, endorsementTemplate(spki));
    }
    const area = parsePublic(publicArea);
    if (!equalBytes(subjectPublicKeyInfoOf(area.key), spki)) {
      throw new EvidenceRefused('ek-key', "the public area is not of the certificate's key");
    }
    requireStrongKey(facts, 'ek-strength');
    requireAttributes('ek', area.attributes, {
      set: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'decrypt'],
      clear: ['sign'],
    });
    if (area.symmetric === null) {
      throw new EvidenceRefused('ek-symmetric', 'no symmetric algorithm: such a key protects nothing');
    }
    return new EndorsementKey(certificate, spki, { ...area, keyBits: area.symmetric.keyBits });
  }
}

/** EK Credential Profile section 3.2: for encryption (RSA) or key agreement (ECC), with tcg-kp-EKCertificate. */
function requireCertificate({ isCa, extendedKeyUsage, keyUsage }: Certificate): void {
  if (isCa) throw new EvidenceRefused('ek-certificate-ca', "the endorsement key's certificate is a CA's");
  if (!(extendedKeyUsage?.includes(extendedKeyUsages.tcgEndorsementKey) ?? false)) {
    throw new EvidenceRefused('ek-certificate-usage', 'the certificate is for no endorsement key');
  }
  const usages = ['keyEncipherment', 'keyAgreement'];
  if (keyUsage !== null && !keyUsage.some((usage) => usages.includes(usage))) {
    throw new EvidenceRefused(
      'ek-certificate-key-usage',
      'the endorsement key is certified for no encryption',
    );
  }
}
