import type { Cleanup } from '../harness/authority.ts';
import type { Random } from './random.ts';

export interface Scenario {
  /** Why it cannot run here; null where it can. */
  obstacle(): string | null;
  /** It mounts file systems, which nobody else is to see: it runs in a process of its own. */
  readonly mounts?: true;
  /** What its runs share, for a number of them. */
  open(cleanup: Cleanup, random: Random): Promise<Faults>;
}

export interface Faults {
  /** `at` counts the runs of this scenario from 0. */
  run(at: number, random: Random): Promise<RunResult>;
}

export interface RunResult {
  /** What was done, in words that tell it from other runs. */
  readonly what: string;
  /** False where the fault did not come in time: nothing was tried. */
  readonly reached: boolean;
  readonly findings: readonly string[];
}
