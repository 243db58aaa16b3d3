import { type RateLimit, spend } from '#limits';
import type { Perform } from '../stores.ts';

const saveMilliseconds = 1_000;
/** Fewer sources than this are not worth looking for idle ones. */
const smallestCrowd = 4096;

/**
 * The arrival times of sources. One process writes this database, so its memory is where they count, and admitting costs
 * no way to the writer and back; the database has them for the next start. A crash forgets the last second.
 */
export class SourceRates {
  readonly #perform: Perform;
  readonly #tats: Map<string, number>;
  readonly #unsaved = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #crowd = smallestCrowd;

  private constructor(perform: Perform, tats: Map<string, number>) {
    this.#perform = perform;
    this.#tats = tats;
  }

  static async load(perform: Perform): Promise<SourceRates> {
    const saved = await perform('sourceRates', null);
    return new SourceRates(perform, new Map(saved.map(({ key, tat }) => [key, tat])));
  }

  /** Spends one where that conforms. `tat` is as it was before. */
  admit({ sourceKey, limit, now }: { sourceKey: string; limit: RateLimit; now: number }): {
    tat: number | null;
  } {
    const tat = this.#tats.get(sourceKey) ?? null;
    const spending = spend(limit, tat, now);
    if (spending.tat !== tat) {
      this.#tats.set(sourceKey, spending.tat);
      this.#unsaved.add(sourceKey);
      this.#timer ??= setTimeout(() => void this.save(), saveMilliseconds);
      this.#forgetIdle(now);
    }
    return { tat };
  }

  async save(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const rates = [...this.#unsaved].map((key) => ({ key, tat: this.#tats.get(key) ?? 0 }));
    this.#unsaved.clear();
    if (rates.length === 0) return;
    // When the store has failed, whatever asks it next says so.
    await this.#perform('saveSourceRates', { rates }).catch(() => undefined);
  }

  /** A limit whose arrival time has passed is like one never used: the map is bounded by the sources of one period. */
  #forgetIdle(now: number): void {
    if (this.#tats.size < this.#crowd) return;
    for (const [key, tat] of this.#tats) {
      if (tat <= now && !this.#unsaved.has(key)) this.#tats.delete(key);
    }
    this.#crowd = Math.max(smallestCrowd, this.#tats.size * 2);
  }
}
