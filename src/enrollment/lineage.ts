import type { Verdict } from '#policy';
import type { Observations } from './observations.ts';
import type { HoldRecord, LineageSeen } from './store.ts';

/** As it was observed, of a renewal; null: nobody has presented a certificate. */
export function lineageSeen({ lineage }: Observations, predecessor: string | null): LineageSeen | null {
  if (!lineage || predecessor === null) return null;
  return { forked: lineage.others.length > 0, contested: lineage.contested !== null };
}

/** Of a request that is held for its lineage. `contested`: the certificate that it presents was renewed to another key before. */
export function contestOf(
  { lineage, presenter }: Observations,
  { objections }: Verdict,
): Pick<HoldRecord, 'contested' | 'contestant'> {
  const isWhy = objections.some(({ control }) => control === 'renewal-lineage');
  const contestant = isWhy ? (presenter?.sha256 ?? null) : null;
  return { contested: (lineage?.others.length ?? 0) > 0 ? contestant : null, contestant };
}
