import type { ServedAuthority } from '../../test/harness/authority.ts';
import { rounded } from '../percentile.ts';
import { cpuMillisecondsOf } from '../process-cpu.ts';
import { median } from '../welch.ts';
import { inParallel } from '../workers.ts';

/** Besides a first one, of a server that is not warm yet. */
export const rounds = 9;

/** CPU milliseconds of the server for one of them. */
export async function cpuOf<T>(
  { process: { pid } }: ServedAuthority,
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<number> {
  const before = cpuMillisecondsOf(pid!);
  await inParallel(items, workers, work);
  return (cpuMillisecondsOf(pid!) - before) / items.length;
}

export function spreadOf(values: readonly number[], digits: number) {
  return {
    median: rounded(median(values), digits),
    least: rounded(Math.min(...values), digits),
    most: rounded(Math.max(...values), digits),
  };
}
