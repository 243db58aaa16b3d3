const keptMilliseconds = 1000;

/** A reading that all who ask share while it lasts and for a second after: what another process has changed is seen then. */
export class SharedReading<T> {
  readonly #read: () => Promise<T>;
  #newest: Promise<T> | null = null;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  value(): Promise<T> {
    return (this.#newest ??= this.#begin());
  }

  /** What was read has changed: who asks from here on does not get it. */
  forget(): void {
    this.#newest = null;
  }

  #begin(): Promise<T> {
    const reading = this.#read();
    const forget = () => {
      if (this.#newest === reading) this.#newest = null;
    };
    reading.then(() => setTimeout(forget, keptMilliseconds).unref(), forget);
    return reading;
  }
}
