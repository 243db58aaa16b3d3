/** Remembers the latest used, at most `limit` of them. Not a cache of facts: the value is a pure function of the key. */
export class Memo<Value> {
  readonly #limit: number;
  readonly #values = new Map<string, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.size;
  }

  /** What was remembered for the key, or what `find` gives, remembered from now on. */
  recall(key: string, find: () => Value): Value {
    const known = this.#values.get(key);
    if (known !== undefined) {
      this.#values.delete(key);
      this.#values.set(key, known);
      return known;
    }
    const found = find();
    this.#values.set(key, found);
    if (this.#values.size > this.#limit) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    return found;
  }
}
