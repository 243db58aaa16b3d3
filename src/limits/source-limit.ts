import { type RateLimit, spend } from './rate-limit.ts';
import { sourceKey } from './source-key.ts';

const maximumSources = 10_000;

/**
 * How often something may go wrong for one source, in the memory of this process: a restart forgets it, and each node counts for itself. Where more sources
 * are counted than fit, those that were counted first are forgotten.
 */
export class SourceLimit {
  readonly #limit: () => RateLimit;
  readonly #arrivals = new Map<string, number>();

  constructor(limit: () => RateLimit) {
    this.#limit = limit;
  }

  /** Whether one more would conform. Spends nothing. `now` in milliseconds. */
  conforms(address: string, now: number): boolean {
    const tat = this.#arrivals.get(sourceKey(address)) ?? null;
    return spend(this.#limit(), tat, now).conforms;
  }

  /** One more, where that conforms. */
  spend(address: string, now: number): void {
    const key = sourceKey(address);
    const { tat } = spend(this.#limit(), this.#arrivals.get(key) ?? null, now);
    this.#arrivals.delete(key);
    this.#arrivals.set(key, tat);
    const [first] = this.#arrivals.keys();
    if (this.#arrivals.size > maximumSources && first !== undefined) this.#arrivals.delete(first);
  }
}
