import {
  attestationKeyNames,
  certifiesAttestationKeys,
  type ExpandedNames,
  expandNames,
  type RequestedNames,
  type Template,
} from '#ca';
import type { DeviceObservation, EvidenceObservation } from './observations.ts';

/** As the template says, of the device as the inventory has it; for an attestation key also of the TPM, as its manufacturer certified it. */
export function certifiedNames(
  template: Template,
  device: DeviceObservation,
  requested: RequestedNames,
  evidence: EvidenceObservation | null,
): ExpandedNames {
  if (!certifiesAttestationKeys(template)) return expandNames(template, device, requested);
  const { claims, identities } = evidence?.examination?.statement ?? {};
  const tpm = claims?.format === 'endorsement' ? claims.device : null;
  if (tpm === null || identities?.endorsementKey === undefined) {
    const problem = 'no TPM is named that proves the key';
    return { subject: [], subjectAltName: [], admitted: [], problems: [problem] };
  }
  return attestationKeyNames(device.id, { ...tpm, endorsementKey: identities.endorsementKey });
}
