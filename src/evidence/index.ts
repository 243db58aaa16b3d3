export { keyPurposes, verifiedBootStates } from './android/claims.ts';
export { type StatusList, parseStatusList, revocationStatusOf } from './android/status-list.ts';
export { statementTypes } from './attestation-bundle.ts';
export type {
  AttestationResult,
  IssuerLists,
  ReferenceValues,
  RevocationStatus,
  TrustAnchors,
} from './appraisal.ts';
export { findAnchoredPath } from './anchored-path.ts';
export { appraise } from './appraise.ts';
export { attestingKeyOf, hasAttestingKey } from './attesting-key.ts';
export {
  type AnchoredFormat,
  anchoredFormats,
  type AssuranceLevel,
  type Evidence,
  type EvidenceFormat,
  type Nonce,
  assuranceLevels,
  evidenceFormats,
  type ListedFormat,
  listedFormats,
} from './evidence.ts';
export {
  type EvidenceFault,
  type EvidenceIdentities,
  type Examination,
  type Statement,
  evidenceIdentities,
} from './examination.ts';
export { examine, externalType, type OpenedEvidence, openEvidence } from './examine.ts';
export { parseVerifierAnswer, type VerifierAnswer } from './external/answer.ts';
export { type ExternalEvidence, externalExamination, isUnanswered } from './external/external-examination.ts';
export { type KnownRoot, knownRootOf } from './known-roots.ts';
export { type RootConcern, rootConcerns, rootSignature, vendorConcerns } from './root-concerns.ts';
export {
  issuerListsOf,
  newestLists,
  parseRevocationList,
  recordableLists,
  type RevocationList,
} from './revocation-list.ts';
export { formFactors, pinPolicies, touchPolicies } from './step/claims.ts';
export { type ActivatedKeys, activationEvidence } from './tpm/activation-evidence.ts';
export type { AttestationKey, Creation } from './tpm/attestation-key.ts';
export { isAttestationKeyCertificate } from './tpm/attestation-key-certificate.ts';
export {
  type ActivationExamination,
  type ActivationRequest,
  type Credential,
  examineActivation,
  makeCredential,
} from './tpm/credential-activation.ts';
export type { EndorsementKey } from './tpm/endorsement-key.ts';
export { endorsementSpki } from './tpm/endorsement-spki.ts';
export type { TpmDevice } from './tpm/tpm-device.ts';
export { type EvidenceVersions, versionsOf, versionsThatWentBack } from './versions.ts';
