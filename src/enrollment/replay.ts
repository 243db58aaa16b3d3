import { encodeEntry } from '#audit';
import { factsAsOf, judge, type Bundle, type Facts, type Objection, type Verdict } from '#policy';
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
  const facts = factsAsOf(bundle, derive(entry.observations, references, stage, entry.time).facts);
  const verdict = judge(bundle, facts);
  const recorded = encodeEntry({ facts: entry.facts, verdict: entry.verdict });
  const replayed = encodeEntry({ facts, verdict });
  return { facts, verdict, same: Buffer.compare(recorded, replayed) === 0 };
}

/** What stands in the leaf of a request: decided and recorded, without a word of it. */
export type JudgedLeaf = Pick<RequestEntry, 'outcome'> & {
  readonly facts: Omit<Facts, 'reasons'>;
  readonly verdict: {
    readonly decision: Verdict['decision'];
    readonly objections: readonly Omit<Objection, 'detail'>[];
  };
};

/**
 * Judges the recorded facts again, of an entry whose names were erased: nobody can derive them any more. Decision and controls must be those of the
 * leaf; words, which were erased too, are not compared. Whatever is missing of the facts is denied, as ever.
 */
export function judgeLeaf(leaf: JudgedLeaf, bundle: Bundle): Omit<Replay, 'facts'> {
  const verdict = judge(bundle, { ...leaf.facts, reasons: {} });
  const recorded = encodeEntry(withoutWords(leaf.verdict));
  return { verdict, same: Buffer.compare(recorded, encodeEntry(withoutWords(verdict))) === 0 };
}

function withoutWords({ decision, objections }: JudgedLeaf['verdict']): object {
  return {
    decision,
    objections: objections.map(({ control, title, liftable }) => ({ control, title, liftable })),
  };
}
