import type { Verdict } from '#policy';
import type { Observations } from './observations.ts';
import type { HoldRecord, LineageSeen } from './store.ts';

/** As it was observed, of a renewal; null: nobody has presented a certificate. */
export function lineageSeen({ lineage }: Observations, predecessor: string | null): LineageSeen | null {
  if (!lineage || predecessor === null) return null;
  return { forked: lineage.others.length > 0, contested: lineage.contested !== null };
}

/** The certificate that a request is held for, since it was renewed to another key before; null: that is not why. */
export function contestedBy(
  { lineage, presenter }: Observations,
  { objections }: Verdict,
): HoldRecord['contested'] {
  const isWhy = objections.some(({ control }) => control === 'renewal-lineage');
  return isWhy && presenter !== null && (lineage?.others.length ?? 0) > 0 ? presenter.sha256 : null;
}
