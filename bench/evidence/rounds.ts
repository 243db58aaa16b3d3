import type { ServedAuthority } from '../../test/harness/authority.ts';
import { each } from '../authority.ts';
import { rounded } from '../percentile.ts';
import { cpuMillisecondsByThread, cpuMillisecondsOf, threadGroups } from '../process-cpu.ts';
import { median } from '../welch.ts';
import { inParallel } from '../workers.ts';

/** Besides a first one, of a server that is not warm yet. */
export const rounds = 9;

/** CPU milliseconds of the server for one of them. */
export interface Cpu {
  readonly milliseconds: number;
  readonly threads: Readonly<Record<string, number>>;
}

export async function cpuOf<T>(
  { process: { pid } }: ServedAuthority,
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<Cpu> {
  const [before, threadsBefore] = [cpuMillisecondsOf(pid!), cpuMillisecondsByThread(pid!)];
  await inParallel(items, workers, work);
  const threads = threadGroups(pid!, threadsBefore, cpuMillisecondsByThread(pid!));
  return {
    milliseconds: (cpuMillisecondsOf(pid!) - before) / items.length,
    threads: each(threads, items.length),
  };
}

/** Over all rounds. */
export function figuresOf(all: readonly Cpu[]) {
  const ofThread = (name: string) => rounded(median(all.map(({ threads }) => threads[name]!)), 3);
  return {
    ...spreadOf(
      all.map(({ milliseconds }) => milliseconds),
      3,
    ),
    serving: ofThread('serving'),
    store: ofThread('store'),
    others: ofThread('others'),
  };
}

export function spreadOf(values: readonly number[], digits: number) {
  return {
    median: rounded(median(values), digits),
    least: rounded(Math.min(...values), digits),
    most: rounded(Math.max(...values), digits),
  };
}
