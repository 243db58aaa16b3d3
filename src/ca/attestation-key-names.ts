import {
  encodePermanentIdentifier,
  type GeneralName,
  type NameAttribute,
  oids,
  permanentIdentifierOf,
} from '#x509';
import { attributeValueProblem } from './attribute-value.ts';
import type { Template } from './template.ts';
import type { ExpandedNames } from './template-names.ts';

/** A TPM as its manufacturer's certificate of the endorsement key names it. */
export interface TpmNames {
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
  /** SHA-256 of the endorsement key's SubjectPublicKeyInfo, hexadecimal. */
  readonly endorsementKey: string;
}

const endorsementKeyUriPrefix = 'urn:ek:sha256:';

export function certifiesAttestationKeys({ authentication }: Pick<Template, 'authentication'>): boolean {
  return authentication.includes('endorsement');
}

/**
 * What the certificate of an attestation key names (WebAuthn Level 3 section 8.3.1): the device by a PermanentIdentifier, the TPM by its directory name, and the
 * endorsement key by the URI without which step's client does not use the certificate.
 */
export function attestationKeyNames(deviceId: string, tpm: TpmNames): ExpandedNames {
  const attributes: NameAttribute[] = [
    { type: oids.tpmManufacturer, value: `id:${tpm.manufacturer}`, encoding: 'utf8' },
    { type: oids.tpmModel, value: tpm.model, encoding: 'utf8' },
    { type: oids.tpmVersion, value: `id:${tpm.version}`, encoding: 'utf8' },
  ];
  const problems = attributes.flatMap(({ type, value }) => {
    const problem = attributeValueProblem(type, value);
    return problem === null ? [] : [`the TPM's ${type} ${problem}`];
  });
  const endorsementKey = Buffer.from(tpm.endorsementKey, 'hex').toString('base64');
  const subjectAltName: GeneralName[] = [
    encodePermanentIdentifier(deviceId),
    { kind: 'directoryName', value: [attributes] },
    { kind: 'uri', value: `${endorsementKeyUriPrefix}${endorsementKey}` },
  ];
  return { subject: [], subjectAltName, admitted: [], problems };
}

/** Whether these are such names, and no others. */
export function areAttestationKeyNames(names: readonly GeneralName[]): boolean {
  const [device, tpm, endorsementKey, ...others] = names;
  if (device?.kind !== 'otherName' || tpm?.kind !== 'directoryName' || endorsementKey?.kind !== 'uri') {
    return false;
  }
  // DER sorts the attributes of one RDN by their encodings.
  const types = tpm.value.flat().map(({ type }) => type);
  return (
    others.length === 0 &&
    permanentIdentifierOf([device]) !== null &&
    types.toSorted().join() === [oids.tpmManufacturer, oids.tpmModel, oids.tpmVersion].join() &&
    /^urn:ek:sha256:[A-Za-z0-9+/]{43}=$/.test(endorsementKey.value)
  );
}
