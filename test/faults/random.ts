import { hash } from 'node:crypto';

/** The same choices for the same seed. */
export interface Random {
  /** A whole number, 0 or more and below the limit. */
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

export function seeded(seed: string): Random {
  let count = 0;
  const below = (limit: number) => {
    count += 1;
    return Number.parseInt(hash('sha256', `${seed} ${count}`).slice(0, 12), 16) % limit;
  };
  return { below, pick: (items) => items[below(items.length)]! };
}
