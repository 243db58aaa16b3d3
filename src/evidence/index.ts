export { type StatusList, parseStatusList, revocationStatusOf } from './android/status-list.ts';
export type { AttestationResult, ReferenceValues, RevocationStatus, TrustAnchors } from './appraisal.ts';
export { appraise } from './appraise.ts';
export {
  type AssuranceLevel,
  type Evidence,
  type EvidenceFormat,
  type Nonce,
  assuranceLevels,
  evidenceFormats,
} from './evidence.ts';
export type { EvidenceFault, EvidenceIdentities, Examination, Statement } from './examination.ts';
export { examine } from './examine.ts';
export type { AttestationKey, Creation } from './tpm/attestation-key.ts';
export {
  type ActivationExamination,
  type ActivationRequest,
  type Credential,
  examineActivation,
  makeCredential,
} from './tpm/credential-activation.ts';
export type { EndorsementKey } from './tpm/endorsement-key.ts';
