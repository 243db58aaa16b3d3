export { type ActivationAnswer, Activations } from './activation.ts';
export { type Authority, type IssuerInForce, path } from './authority.ts';
export { type Clock, type ClockSources, type SteadyClock, steadyClock } from './clock.ts';
export { actionOf, derive, type Derivation } from './derive.ts';
export { examinationDigest, namesDigest, sha256Hex } from './digests.ts';
export { Enrollment } from './enroll.ts';
export type { EnrollmentPorts } from './enrollment-ports.ts';
export type {
  ActEntry,
  AuthorityEntry,
  CallEntry,
  CallSource,
  Entry,
  Outcome,
  RequestEntry,
} from './entry.ts';
export {
  broughtBackBy,
  erasureUndone,
  eraseAct,
  erasedBy,
  type ErasedEntries,
  inActs,
  type IndexRange,
  rangesOf,
} from './erasure.ts';
export { controlsOfEvidence } from './evidence-seen.ts';
export { type FirstEntry, type OutsideHead, parseFirstEntry, type PreviousLog } from './first-entry.ts';
export { canonicalGivenName, isEverOrderable } from './given-name.ts';
export { observeManagement, type SentCertificate } from './management.ts';
export { isVouchedFor } from './issuing-certificate.ts';
export type * from './observations.ts';
export { leafOf, newEntry, readEntries, type ReadEntry, readEntry } from './personal-fields.ts';
export type { Attested, Attesting } from './attest.ts';
export type { GivenNonce } from './evidence-nonce.ts';
export {
  attesterAsKnown,
  attesterOf,
  type OfferedEvidence,
  SeenEvidence,
  type ListsOfIssuers,
  type FileOfLists,
  type StatusLists,
  withoutFreshness,
} from './offered-evidence.ts';
export type { OfferedKeys } from './offered-keys.ts';
export {
  authorizationOf,
  deviceIdentifierParts,
  identifierKey,
  identifierOf,
  identifiersDigest,
  type IdentifierType,
  isDeviceIdentifier,
  isWithinNames,
  notOrderable,
  type OrderIdentifier,
  ordersDevices,
} from './order.ts';
export { orderedName } from './device-name.ts';
export { generateSecret, type MacKey, macSecret } from './one-time-secret.ts';
export { type AttesterNow, recheckEvidence } from './recheck.ts';
export { anyTimeSeconds } from './retry-after.ts';
export { type IssuerReference, type ListenerReference, named, type References } from './references.ts';
export { type RecordedBodies, RequestReplay } from './request-replay.ts';
export type { Admission, Answer, ChannelBindings, Credential, EnrollmentRequest } from './request.ts';
export type * from './evidence-store.ts';
export type * from './store.ts';
export { seal, unseal } from './sealing.ts';
export { type StaticChallenges, staticChallengeDigest } from './challenge.ts';
export { supportCode } from './support-code.ts';
export { isWeakAlgorithm } from './weak-algorithm.ts';
export type { Verifier, VerifierQuestion } from './verifier.ts';
export type { VerifierSpending } from './verifier-limit.ts';
export {
  type Workflow,
  type WorkflowAnswer,
  workflowCode,
  type WorkflowFailure,
  type WorkflowRequest,
} from './workflow.ts';
