import { hash } from 'node:crypto';
import {
  type Certificate,
  extendedKeyUsages,
  extensionOids,
  findExtension,
  hardwareModuleNameOf,
  hardwareSerialNumberText,
  parseCertificatePolicies,
  permanentIdentifierOf,
} from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { EvidenceIdentities } from '../examination.ts';
import { type TpmDevice, tpmDeviceOf } from './tpm-device.ts';

/** tcg-cap-verifiedTPMRestricted (TPM 2.0 Keys for Device Identity and Attestation, section 8.2). */
const verifiedTpmRestricted = '2.23.133.11.1.3';

export interface AttestationKeyCertificate {
  readonly format: 'tpm' | 'idevid';
  readonly device: TpmDevice | null;
  readonly identities: EvidenceIdentities;
}

/**
 * What must be in the certificate of a key that attests (WebAuthn Level 3 section 8.3.1, but that the subject is empty, which older ones are not). Its
 * version is 3, since it has extensions. Throws EvidenceRefused at the first that is not, and `malformed`.
 */
export function attestationKeyCertificateOf(certificate: Certificate): AttestationKeyCertificate {
  const { isCa, keyUsage, subjectAltName } = certificate;
  if (isCa) throw new EvidenceRefused('tpm-certificate-ca', "the attestation key's certificate is a CA's");
  if (keyUsage !== null && !keyUsage.includes('digitalSignature')) {
    throw new EvidenceRefused(
      'tpm-certificate-key-usage',
      'the attestation key is certified for no signatures',
    );
  }
  const device = tpmDeviceOf(subjectAltName);
  const format = formatOf(certificate, device);
  if (format === 'tpm' && device === null) {
    throw new EvidenceRefused(
      'tpm-certificate-san',
      'no one manufacturer, model and version of a TPM in the SAN',
    );
  }
  return { format, device, identities: identitiesOf(certificate) };
}

/** Whether the key is one that attests at all. No check has failed yet where it is not: a chain is sent in any order. */
export function isAttestationKeyCertificate(certificate: Certificate): boolean {
  return !certificate.isCa && (isAttestationIdentityKey(certificate) || namesHardwareModule(certificate));
}

/**
 * Only a restricted key never signs what its holder made up. An attestation CA says that it is one by the extended key usage, a maker by the policy, for
 * which "a relying party [...] MUST check": the key of an IDevID itself is not restricted. A maker may say both, and names the device and no TPM.
 */
function formatOf(certificate: Certificate, device: TpmDevice | null): 'tpm' | 'idevid' {
  const isOfMaker = device === null && namesHardwareModule(certificate);
  if (isAttestationIdentityKey(certificate) && !isOfMaker) return 'tpm';
  if (!namesHardwareModule(certificate)) {
    throw new EvidenceRefused('tpm-certificate-usage', 'the certificate is for no key that attests');
  }
  const policies = findExtension(certificate.extensions, extensionOids.certificatePolicies);
  if (policies === null || !parseCertificatePolicies(policies).includes(verifiedTpmRestricted)) {
    throw new EvidenceRefused(
      'tpm-certificate-restricted',
      'the maker does not say that the key is restricted (tcg-cap-verifiedTPMRestricted): such a key signs anything',
    );
  }
  return 'idevid';
}

function isAttestationIdentityKey({ extendedKeyUsage }: Certificate): boolean {
  return extendedKeyUsage?.includes(extendedKeyUsages.tcgAttestationIdentityKey) ?? false;
}

function namesHardwareModule({ subjectAltName }: Certificate): boolean {
  return hardwareModuleNameOf(subjectAltName) !== null;
}

function identitiesOf({ spki, subjectAltName }: Certificate): EvidenceIdentities {
  const permanentIdentifier = permanentIdentifierOf(subjectAltName);
  const hardwareModule = hardwareModuleNameOf(subjectAltName);
  const endorsementKey = endorsementKeyOf(subjectAltName);
  return {
    attestationKey: hash('sha256', spki),
    ...(endorsementKey === null ? {} : { endorsementKey }),
    ...(permanentIdentifier === null ? {} : { permanentIdentifier }),
    ...(hardwareModule === null
      ? {}
      : {
          hardwareModule: {
            type: hardwareModule.hardwareType,
            serialNumber: hardwareSerialNumberText(hardwareModule.serialNumber),
          },
        }),
  };
}

/** `urn:ek:sha256:` and base64, as step writes which TPM holds the key; hexadecimal. null: it does not say it. */
function endorsementKeyOf(names: Certificate['subjectAltName']): string | null {
  const found = names.flatMap(({ kind, value }) =>
    kind === 'uri' ? (/^urn:ek:sha256:([A-Za-z0-9+/]{43}=)$/.exec(value)?.[1] ?? []) : [],
  );
  return found.length === 1 ? Buffer.from(found[0]!, 'base64').toString('hex') : null;
}
