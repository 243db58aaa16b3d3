/** Choices that whole numbers determine: the same numbers, the same choices (sfc32 of Chris Doty-Humphrey). */
export class Choices {
  readonly #state: Uint32Array;

  constructor(seed: number, first: number, second = 0) {
    this.#state = Uint32Array.of(seed, first, second, 1);
    for (let round = 0; round < 15; round += 1) this.#next();
  }

  #next(): number {
    const state = this.#state;
    const [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const sum = (a + b + d) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    state[3] = d + 1;
    return sum;
  }

  /** 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor((this.#next() / 2 ** 32) * end);
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** One of these, each as often as its weight says. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    throw new Error('nothing to choose from');
  }

  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  bytes(longest: number): Buffer {
    return Buffer.from(this.some(longest, () => this.below(256)));
  }

  latin1(longest: number): string {
    return this.bytes(longest).toString('latin1');
  }

  /** What a header may hold: no control characters, no space around it. */
  fieldValue(longest: number): string {
    return this.latin1(longest)
      .replaceAll(/[\u0000-\u001f\u007f]/g, '~')
      .trim();
  }

  /** One character or more, of all of Unicode. */
  text(longest: number): string {
    const one = () =>
      String.fromCodePoint(
        this.weighted<() => number>([
          [8, () => this.between(0x20, 0x7e)],
          [1, () => this.between(0, 0x1f)],
          [1, () => this.between(0xa0, 0x24f)],
          [1, () => this.between(0x4e00, 0xd7ff)],
          [1, () => this.between(0x1f300, 0x1f9ff)],
        ])(),
      );
    return Array.from({ length: this.between(1, longest) }, one).join('');
  }
}
