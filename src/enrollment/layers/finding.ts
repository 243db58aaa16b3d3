/** The facts of one group, with words for each control that will object to them. */
export class Finding<T> {
  readonly facts: T;
  readonly reasons: Record<string, string> = {};

  constructor(facts: T) {
    this.facts = facts;
  }

  /** Notes why `control` objects, where `holds` is false. */
  because(control: string, holds: boolean, words: string): this {
    if (!holds) this.reasons[control] = words;
    return this;
  }
}
