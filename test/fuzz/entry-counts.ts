import { requestEntriesOf } from '../harness/entries.ts';
import type { TestAuthority } from '../harness/authority.ts';

/** How many entries of requests each source address has in the log, from the entry `from` on, and with what outcomes. */
export async function countEntries(
  authority: TestAuthority,
  from: number,
): Promise<{
  readonly bySource: ReadonlyMap<string, number>;
  readonly byOutcome: Readonly<Record<string, number>>;
}> {
  const bySource = new Map<string, number>();
  const byOutcome: Record<string, number> = {};
  for (const { observations, outcome } of await requestEntriesOf(authority, from)) {
    const { address } = observations.source;
    bySource.set(address, (bySource.get(address) ?? 0) + 1);
    byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
  }
  return { bySource, byOutcome };
}
