import type { Evidence, Nonce, ReferenceValues } from '#evidence';
import { tpmSamples } from './tpm.ts';

/** Evidence in order, and the signatures that no verifier of it can leave out. */
export interface Sample {
  readonly evidence: Evidence;
  readonly nonce: Nonce;
  /** The bare verifications, keys imported anew each time as in evidence of a stranger. Throws where one fails. */
  readonly floor: () => void;
  /** By which it is appraised without an objection. */
  readonly values: ReferenceValues;
  /** The bare verifications of its path, as above. */
  readonly pathFloor: () => void;
}

/** Each format adds its own. */
export const samples: Readonly<Record<string, Sample>> = { ...tpmSamples };
