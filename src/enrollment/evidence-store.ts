import type { NewEntry } from '#audit';
import type { EvidenceFormat, EvidenceVersions, Examination } from '#evidence';
import type { AttestingKeyObservation } from './observations.ts';

/** Of the certificate of a key that attests. */
export interface AttesterQuery {
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly serialNumber: string;
}

/** Evidence that a request came with. From when it waits or is to be issued, it is of no other, what was fresh stays so for this one, and its nonce is used up. */
export interface UsedEvidence {
  readonly secretId: string | null;
  readonly presenterSha256: string | null;
  /** Which it holds of who presents these; null: it is fresh by what came before, or is not. */
  readonly nonce: Uint8Array | null;
  readonly sha256: string;
  readonly fresh: boolean;
  /** Where it is verified: it must attest still when a certificate is issued on it. */
  readonly attester: AttesterQuery | null;
  /** What a verifier outside said of it; null: it was examined here. */
  readonly verified: Examination | null;
  /** What is remembered of it when it gets a certificate; null where it is not verified. */
  readonly memory: EvidenceMemory | null;
  /** An entry of its own that follows: where a request is opened, and where a certificate is issued. */
  readonly alarm: NewEntry | null;
}

export interface EvidenceMemory {
  readonly format: EvidenceFormat;
  readonly versions: EvidenceVersions;
  /** As they were observed, and must still be unless they are these. */
  readonly before: EvidenceVersions | null;
  /** As it was observed: no other device may have come since. */
  readonly attestingKey: AttestingKeyObservation | null;
}
