import { isDeepStrictEqual } from 'node:util';
import type { EvidenceSeen } from '#enrollment';

/** The same evidence, or other evidence that says the same: what an operator read of one they have read of the other. */
export function isSameEvidence(left: EvidenceSeen | null, right: EvidenceSeen | null): boolean {
  if (left === null || right === null) return left === right;
  return left.sha256 === right.sha256 || isDeepStrictEqual(left.said, right.said);
}
