import type { Facts, Verdict } from '#policy';
import type { Authority } from './authority.ts';
import type { Observations } from './observations.ts';
import type { Asked } from './observe.ts';

/** A request, what was seen and derived of it, and the verdict that is carried out. */
export interface Decided {
  readonly asked: Asked;
  readonly authority: Authority;
  readonly observations: Observations;
  /** That evidence is to hold; null: none was given out. */
  readonly nonce: Uint8Array | null;
  readonly facts: Facts;
  readonly verdict: Verdict;
  readonly time: number;
}
