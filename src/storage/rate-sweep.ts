import type { Perform } from './stores.ts';

/** Fewer rows than this are not worth a sweep. */
const minimumAdmitted = 1024;

/**
 * Every source leaves a row, and most never come back. Sweeping after as many admissions as rows were left makes the cost of it constant
 * for each, and bounds the table by the sources of one period.
 */
export function sweepingRates(perform: Perform): (now: number) => void {
  let admitted = 0;
  let due = minimumAdmitted;
  return (now) => {
    admitted += 1;
    if (admitted < due) return;
    admitted = 0;
    perform('forgetIdleRates', { now }).then(
      (left) => {
        due = Math.max(minimumAdmitted, left);
      },
      // The admission that follows fails by the same fault, and says so.
      () => undefined,
    );
  };
}
