import type { AssuranceLevel } from '../evidence.ts';

/** What a verifier outside said of evidence that only it can read. */
export interface ExternalClaims {
  readonly format: 'external';
  /** Its name in the configuration. */
  readonly verifier: string;
  /** What the evidence calls itself: its `fmt`. */
  readonly type: string;
  readonly level: AssuranceLevel;
  /** The verifier's own word for it. */
  readonly code: string;
  /** SHA-256 of its answer, hexadecimal: the verifier's own log has the answer itself. */
  readonly answer: string;
}
