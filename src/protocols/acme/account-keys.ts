import { type Jwk, parseJwk } from '#jose';
import type { StoredAccount } from './store.ts';

const mostKept = 4096;

/** Keys of accounts that asked last, parsed. What an account's key is now, the store says. */
export class AccountKeys {
  readonly #kept = new Map<string, Jwk>();

  /** The one that the account had when it was last seen; null: it was not, or long ago. */
  of(id: string): Jwk | null {
    return this.#kept.get(id) ?? null;
  }

  /** Of an account that was just read: the same object as before, where its key is the same. */
  keep({ id, jwk }: Pick<StoredAccount, 'id' | 'jwk'>): Jwk {
    const before = this.#kept.get(id);
    const key = before?.canonical === jwk ? before : parseJwk(JSON.parse(jwk));
    // The one that asked last is at the end.
    this.#kept.delete(id);
    this.#kept.set(id, key);
    for (const eldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break;
      this.#kept.delete(eldest);
    }
    return key;
  }
}
