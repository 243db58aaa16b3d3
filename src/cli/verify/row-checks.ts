import type { Position } from './compare-certificates.ts';

/** What an entry says of a row. */
export interface RowCheck<Row> {
  readonly id: string;
  readonly position: Position;
  /** In words, what the row has otherwise. */
  readonly objectionTo: (row: Row) => string | null;
  /** That the row is not there is no finding: it went with its device, or once it was over. */
  readonly mayBeGone?: boolean;
}

/** Rows asked for at once. */
const atOnce = 256;

/** Of one kind of rows: each is asked for while the log is read, and none is held in memory. */
export class RowChecks<Row> {
  readonly #what: string;
  readonly #read: (ids: readonly string[]) => Promise<readonly (Row | null)[]>;
  readonly #report: (position: Position, message: string) => void;
  #checks: RowCheck<Row>[] = [];

  /** `what`: its name in a finding. `read`: in the order of the ids; null for what is not there. */
  constructor(
    what: string,
    read: (ids: readonly string[]) => Promise<readonly (Row | null)[]>,
    report: (position: Position, message: string) => void,
  ) {
    this.#what = what;
    this.#read = read;
    this.#report = report;
  }

  async add(check: RowCheck<Row>): Promise<void> {
    this.#checks.push(check);
    if (this.#checks.length >= atOnce) await this.end();
  }

  /** After the last one. */
  async end(): Promise<void> {
    const checks = this.#checks;
    this.#checks = [];
    const rows = await this.#read(checks.map(({ id }) => id));
    for (const [at, { id, position, objectionTo, mayBeGone = false }] of checks.entries()) {
      const row = rows[at] ?? null;
      const gone = mayBeGone ? null : 'is not in the store';
      const objection = row === null ? gone : objectionTo(row);
      if (objection !== null) this.#report(position, `${this.#what} ${id} ${objection}`);
    }
  }
}
