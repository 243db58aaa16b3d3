import { isDeepStrictEqual } from 'node:util';
import type { AuthorityEntry, Entry } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import { answerTo } from './acme-answer.ts';
import type { Position } from './compare-certificates.ts';
import { RowChecks } from './row-checks.ts';

type AuthorizationRecord = NonNullable<Awaited<ReturnType<ReadOnlyStorage['authorizations']>>[number]>;
type Report = (position: Position | null, message: string) => void;

export type AuthorizationStore = Pick<ReadOnlyStorage, 'authorizations' | 'acmeCounts'>;

/** A name is proven where an event says that it was seen, and until an entry ends it. What is over is forgotten, so that a row that is missing is no finding. */
export class AuthorizationComparison {
  readonly #store: AuthorizationStore;
  readonly #report: Report;
  /** Of the log that is written: what came before a restore is over. */
  readonly #written: number;
  readonly #rows: RowChecks<AuthorizationRecord>;
  /** Valid rows of which the log tells. */
  #told = 0;

  constructor(store: AuthorizationStore, written: number, report: Report) {
    this.#store = store;
    this.#written = written;
    this.#report = report;
    this.#rows = new RowChecks('authorization', (ids) => store.authorizations(ids), report);
  }

  /** In the order of the logs. */
  async entry(position: Position, entry: Entry): Promise<void> {
    if (entry.type === 'authority' && entry.event === 'authorization.valid') {
      const objectionTo = (row: AuthorizationRecord) => this.#validObjection(row, entry, position);
      const id = String(entry.detail['authorization']);
      await this.#rows.add({ id, position, objectionTo, mayBeGone: true });
    }
    if (entry.type !== 'request') return;
    const { authorization, status } = answerTo('authorization', entry);
    if (status !== 'deactivated') return;
    const objectionTo = (row: AuthorizationRecord) =>
      row.status === 'valid' ? 'was deactivated, and is valid in the store' : null;
    await this.#rows.add({ id: String(authorization), position, objectionTo, mayBeGone: true });
  }

  /** After the last entry. */
  async end(): Promise<void> {
    await this.#rows.end();
    const { validAuthorizations: stored } = await this.#store.acmeCounts();
    if (stored <= this.#told) return;
    this.#report(
      null,
      `the store has ${stored} valid authorizations, of which the log tells of ${this.#told}`,
    );
  }

  #validObjection(
    row: AuthorizationRecord,
    { time, detail }: AuthorityEntry,
    { log }: Position,
  ): string | null {
    if (row.status !== 'valid') return null;
    this.#told += 1;
    // Of two events for one authorization, one at most can fit its row.
    if (row.validatedAt !== time) return 'was validated at another time by the store';
    if (row.account !== detail['account']) return 'is of another account in the store';
    if (row.method !== detail['method'] || row.request !== detail['request']) {
      return 'was validated by another challenge by the store';
    }
    const { identifier = { type: row.type, value: row.value }, wildcard } = detail;
    const { type, value } = row;
    if (row.wildcard !== wildcard || !isDeepStrictEqual({ type, value }, identifier)) {
      return 'is for another identifier in the store';
    }
    return log < this.#written ? 'was ended by a restore, and is valid in the store' : null;
  }
}
