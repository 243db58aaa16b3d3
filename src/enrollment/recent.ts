/** The values made last, by their key: history comes in order, so few are needed at a time. */
export class Recent<Value> {
  readonly #values = new Map<string, Promise<Value>>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const known = this.#values.get(key);
    const value = known ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    const oldest = this.#values.keys().next();
    if (this.#values.size > this.#maximum && oldest.done !== true) this.#values.delete(oldest.value);
    return value;
  }
}
