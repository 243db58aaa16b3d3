import { encodeEntry } from '#audit';
import { judge, type Bundle, type Facts, type Verdict } from '#policy';
import { derive } from './derive.ts';
import type { RequestEntry } from './entry.ts';
import type { References } from './references.ts';

export interface Replay {
  readonly facts: Facts;
  readonly verdict: Verdict;
  /** Facts and verdict are those of the entry, to the byte. */
  readonly same: boolean;
}

/** Derives and judges a recorded request again. With the references and policies it names, nothing may differ. */
export function replayEntry(entry: RequestEntry, references: References, bundle: Bundle): Replay {
  const stage = entry.action === 'admit' ? 'admit' : 'request';
  const { facts } = derive(entry.observations, references, stage, entry.time);
  const verdict = judge(bundle, facts);
  const recorded = encodeEntry({ facts: entry.facts, verdict: entry.verdict });
  const replayed = encodeEntry({ facts, verdict });
  return { facts, verdict, same: Buffer.compare(recorded, replayed) === 0 };
}
