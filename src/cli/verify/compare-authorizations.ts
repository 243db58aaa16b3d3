import { isDeepStrictEqual } from 'node:util';
import {
  type AuthorityEntry,
  type Entry,
  examinationDigest,
  type OrderObservation,
  type RequestEntry,
} from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import { answerTo } from './acme-answer.ts';
import type { Position } from './compare-certificates.ts';
import { RowChecks } from './row-checks.ts';

type AuthorizationRecord = NonNullable<Awaited<ReturnType<ReadOnlyStorage['authorizations']>>[number]>;
type Report = (position: Position | null, message: string) => void;

export type AuthorizationStore = Pick<ReadOnlyStorage, 'authorizations' | 'acmeCounts'>;

/**
 * A name is proven where an event says that it was seen, and until an entry ends it or its time is over, and what an order rests on is such a proof. What is over is
 * forgotten in the store, so that a row that is missing is no finding.
 */
export class AuthorizationComparison {
  readonly #store: AuthorizationStore;
  readonly #report: Report;
  /** Of the log that is written: what came before a restore is over. */
  readonly #written: number;
  readonly #rows: RowChecks<AuthorizationRecord>;
  /** Valid rows of which the log tells. */
  #told = 0;
  /** By their id, those that have not ended. */
  readonly #proven = new Map<string, AuthorityEntry>();
  #prunedTo = 0;

  constructor(store: AuthorizationStore, written: number, report: Report) {
    this.#store = store;
    this.#written = written;
    this.#report = report;
    this.#rows = new RowChecks('authorization', (ids) => store.authorizations(ids), report);
  }

  /** In the order of the logs. */
  async entry(position: Position, entry: Entry): Promise<void> {
    if (entry.type === 'authority' && entry.event === 'restored') this.#proven.clear();
    if (entry.type === 'authority' && entry.event === 'authorization.valid') {
      const objectionTo = (row: AuthorizationRecord) => this.#validObjection(row, entry, position);
      const id = String(entry.detail['authorization']);
      this.#prove(id, entry);
      await this.#rows.add({ id, position, objectionTo, mayBeGone: true });
    }
    if (entry.type !== 'request') return;
    this.#finalized(position, entry);
    const { authorization, status } = answerTo('authorization', entry);
    if (status !== 'deactivated') return;
    this.#proven.delete(String(authorization));
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

  #prove(id: string, event: AuthorityEntry): void {
    this.#proven.set(id, event);
    // What is over is let go now and then, so that only what counts is held.
    if (this.#proven.size < 2 * this.#prunedTo + 1024) return;
    for (const [each, { detail }] of this.#proven) {
      if (Number(detail['expiresAt']) <= event.time) this.#proven.delete(each);
    }
    this.#prunedTo = this.#proven.size;
  }

  /** What an order rests on when it is finalized. What was held then is issued later, by what counted then. */
  #finalized(position: Position, { outcome, observations: { order, evidence } }: RequestEntry): void {
    if (!order || order.finalizedAt !== null || (outcome !== 'issued' && outcome !== 'held')) return;
    for (const authorization of order.authorizations) {
      if (authorization.status !== 'valid') continue;
      const event = this.#proven.get(authorization.id);
      const objection =
        event === undefined
          ? 'which no entry tells of'
          : (proofObjection(authorization, order, event) ??
            (authorization.method === 'device-attest-01' ? evidenceObjection(evidence, event) : null));
      if (objection === null) continue;
      this.#report(position, `order ${order.id} rests on authorization ${authorization.id}, ${objection}`);
    }
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
    if (row.template !== detail['template']) return 'is of another template in the store';
    if (row.expiresAt !== detail['expiresAt']) return 'ends at another time in the store';
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

/** Values may have been erased; whose it is, and until when, is always there. */
function proofObjection(
  authorization: OrderObservation['authorizations'][number],
  { account, template }: OrderObservation,
  { time, detail }: AuthorityEntry,
): string | null {
  const isSame =
    account.id === detail['account'] &&
    template === detail['template'] &&
    authorization.wildcard === detail['wildcard'] &&
    authorization.validatedAt === time &&
    authorization.expiresAt === detail['expiresAt'];
  const { identifier } = detail;
  const { type, value } = authorization;
  const named = value === undefined || identifier === undefined ? identifier : { type, value };
  return isSame && isDeepStrictEqual(named, identifier) ? null : 'which the log tells of otherwise';
}

/** What the order is judged by is what was seen when the challenge was answered. Erased evidence is compared by nobody. */
function evidenceObjection(
  evidence: RequestEntry['observations']['evidence'],
  { detail }: AuthorityEntry,
): string | null {
  const { examination: told } = Object(detail['evidence']) as { readonly examination?: unknown };
  const seen = evidence?.examination;
  if (seen !== undefined && seen.certificates === undefined) return null;
  return seen !== undefined && examinationDigest(seen) === told
    ? null
    : 'whose evidence the log tells of otherwise';
}
