import type { Evidence, Nonce, ReferenceValues } from '#evidence';
import { androidSample } from './android.ts';
import { appleSample } from './apple.ts';
import { stepSample } from './step.ts';
import { tpmSamples } from './tpm.ts';

/** Evidence in order, and the signatures that no verifier of it can leave out. */
export interface Sample {
  readonly evidence: Evidence;
  readonly nonce: Nonce;
  /** The bare verifications, keys imported anew each time as in evidence of a stranger. Throws where one fails. null: only the path has signatures. */
  readonly floor: (() => void) | null;
  /** By which it is appraised without an objection. */
  readonly values: ReferenceValues;
  /** The bare verifications of its path, as above. */
  readonly pathFloor: () => void;
}

/** Each format adds its own. */
export const samples: Readonly<Record<string, Sample>> = {
  ...tpmSamples,
  'android-key, P-256, remotely provisioned': androidSample(),
  'apple, P-384': appleSample(),
  'step, P-256 below RSA-2048': stepSample(),
};
