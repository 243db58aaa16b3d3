import { isDeepStrictEqual } from 'node:util';
import { versionsOf } from '#evidence';
import type { EvidenceObservation, EvidenceSeen } from './observations.ts';

/** Controls that object to what evidence says: who lifts one has read that, and no more. */
export const controlsOfEvidence: readonly string[] = ['attestation-rollback', 'attestation-shared'];

/** Of a request; null: it has none that is verified. */
export function evidenceSeen(evidence: EvidenceObservation | null, verified: boolean): EvidenceSeen | null {
  const examination = evidence?.examination;
  if (!verified || !examination?.statement) return null;
  const { claims } = examination.statement;
  const said = {
    format: claims.format,
    versions: versionsOf(claims),
    attestingKey: evidence?.attestingKey?.spki ?? null,
  };
  return { sha256: examination.sha256, said };
}

/** Whether what comes now is the evidence that was seen, or says the same: a client that waits may ask again with evidence of another nonce. */
export function isSeen(seen: EvidenceSeen, now: EvidenceSeen | null): boolean {
  return now !== null && (seen.sha256 === now.sha256 || isDeepStrictEqual(seen.said, now.said));
}
