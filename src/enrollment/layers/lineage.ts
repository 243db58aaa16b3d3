import type { Context } from '#policy';
import type { LineageObservation } from '../observations.ts';
import { Finding } from './finding.ts';

/**
 * Whether one line of certificates leads from a device's first to this one. A certificate that was renewed to one key and is presented for another has two owners, or a client that
 * lost what it got: while nobody has said which, no branch goes on.
 */
export function deriveLineage(
  lineage: LineageObservation | null,
  asked: {
    /** SHA-256 of the certificate that is renewed. */
    readonly presented: string;
    /** The same request again, which gets what it got. */
    readonly again: boolean;
  },
): Finding<NonNullable<Context['lineage']>> {
  const { others = [], contested = null } = lineage ?? {};
  const problem = asked.again
    ? null
    : others.length > 0
      ? `certificate ${asked.presented} was renewed already, to another key: somebody else has its key, or the client lost what it got. Of that branch are current: ${others.join(', ')}`
      : contested === null
        ? null
        : `certificate ${contested.presented}, from which this one descends, was presented for two keys, and no operator has decided for this branch. Of others are current: ${contested.others.join(', ') || 'none'}`;
  return new Finding({ uncontested: problem === null }).because(
    'renewal-lineage',
    problem === null,
    problem ?? '',
  );
}
