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

  /** Spends one, where that conforms. `now` in milliseconds. */
  take(address: string, now: number): boolean {
    const key = sourceKey(address);
    const { tat, conforms } = spend(this.#limit(), this.#arrivals.get(key) ?? null, now);
    this.#arrivals.delete(key);
    this.#arrivals.set(key, tat);
    const [first] = this.#arrivals.keys();
    if (this.#arrivals.size > maximumSources && first !== undefined) this.#arrivals.delete(first);
    return conforms;
  }

  /** One that was taken did not go wrong. */
  giveBack(address: string): void {
    const key = sourceKey(address);
    const tat = this.#arrivals.get(key);
    if (tat === undefined) return;
    const { count, periodSeconds } = this.#limit();
    this.#arrivals.set(key, tat - (periodSeconds * 1000) / count);
  }
}
