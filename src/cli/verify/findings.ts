import type { LogProblem } from '#audit';

const maximumFindings = 100;

/** What does not hold, in words. Bounded: a log whose every entry is wrong needs no million sentences. */
export class Findings {
  readonly #findings: LogProblem[] = [];
  #omitted = 0;

  add(index: number | null, message: string): void {
    if (this.#findings.length < maximumFindings) this.#findings.push({ index, message });
    else this.#omitted += 1;
  }

  list(): readonly LogProblem[] {
    if (this.#omitted === 0) return this.#findings;
    return [...this.#findings, { index: null, message: `and ${this.#omitted} more findings` }];
  }
}
