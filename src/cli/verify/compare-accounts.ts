import { type ActEntry, type AuthorityEntry, type Entry, type RequestEntry, sha256Hex } from '#enrollment';
import { isSallyportError } from '#errors';
import { type Jwk, parseJson, parseJwk, thumbprint } from '#jose';
import type { ReadOnlyStorage } from '#storage';
import { answerTo, type MadeAccount, newAccountOf } from './acme-answer.ts';
import type { Position } from './compare-certificates.ts';
import { RowChecks } from './row-checks.ts';

type AccountRecord = NonNullable<Awaited<ReturnType<ReadOnlyStorage['accounts']>>[number]>;
type Report = (position: Position | null, message: string) => void;

export type AccountStore = Pick<ReadOnlyStorage, 'accounts' | 'acmeCounts'>;

/**
 * An account is of the external account key that it was made with, has the key that the last entry gave it, and has ended where an entry says so. In the order of the
 * logs. An erasure takes the row with its device, and time one that was made without an external account key and never was anybody's. Of accounts whose key was changed, that ended, or that evidence was given for, the ids are held in memory, and of no others.
 */
export class AccountComparison {
  readonly #store: AccountStore;
  readonly #report: Report;
  readonly #rows: RowChecks<AccountRecord>;
  /** The newest key, and the entry that gave it. */
  readonly #changed = new Map<string, { readonly thumbprint: string; readonly position: Position }>();
  /** By the store, they have another key than they were made with: a later entry gave it, or none. */
  readonly #otherKey = new Map<string, Position>();
  readonly #ended = new Map<string, string>();
  /** By the store, of a device, and made without an external account key. */
  readonly #somebodys = new Map<string, Position>();
  /** Those that evidence gave to a device, or has found to be one's. */
  readonly #given = new Set<string>();
  /** Rows to which something is objected: nothing more is. */
  readonly #otherwise = new Set<string>();
  /** Rows of which the log tells. */
  #told = 0;

  constructor(store: AccountStore, report: Report) {
    this.#store = store;
    this.#report = report;
    this.#rows = new RowChecks('account', (ids) => store.accounts(ids), report);
  }

  /** `isAbsent`: its personal fields are not there. */
  async entry(position: Position, entry: Entry, isAbsent: boolean): Promise<void> {
    if (entry.type === 'act') await this.#act(position, entry);
    if (entry.type === 'authority') await this.#event(position, entry);
    if (entry.type !== 'request') return;
    if (entry.outcome === 'issued') return this.#issued(position, entry);
    const made = newAccountOf(entry);
    if (made !== null) await this.#made(position, made, isAbsent);
    const change = answerTo('key-change', entry);
    if (typeof change['thumbprint'] === 'string') {
      this.#changed.set(String(change['account']), { thumbprint: change['thumbprint'], position });
    }
    const { account, status } = answerTo('account', entry);
    if (status === 'deactivated') await this.#ending(position, String(account), status);
  }

  /** After the last entry. */
  async end(): Promise<void> {
    await this.#rows.end();
    for (const [id, position] of this.#somebodys) {
      if (this.#given.has(id)) continue;
      this.#report(position, `account ${id} is a device's in the store, and no evidence said so`);
    }
    for (const [id, { thumbprint: print, position }] of this.#changed) {
      const objectionTo = (row: AccountRecord) =>
        row.thumbprint === print || this.#otherwise.has(id)
          ? null
          : 'has another key in the store than it was changed to';
      await this.#rows.add({ id, position, objectionTo, mayBeGone: true });
    }
    await this.#rows.end();
    for (const [id, position] of this.#otherKey) {
      if (this.#changed.has(id)) continue;
      this.#report(position, `account ${id} has another key in the store than it was made with`);
    }
    const { accounts: stored } = await this.#store.acmeCounts();
    if (stored <= this.#told) return;
    this.#report(null, `the store has ${stored} accounts, of which the log tells of ${this.#told}`);
  }

  /** Evidence says whose an account is that was made without an external account key. */
  async #event(position: Position, { event, detail }: AuthorityEntry): Promise<void> {
    const { account, device, method } = detail;
    if (event !== 'authorization.valid' || method !== 'device-attest-01') return;
    const id = String(account);
    this.#given.add(id);
    if (typeof device !== 'string') return;
    const objectionTo = (row: AccountRecord) =>
      row.device === device || this.#otherwise.has(id)
        ? null
        : 'is of another device in the store than evidence said';
    await this.#rows.add({ id, position, objectionTo, mayBeGone: true });
  }

  async #act(position: Position, { act, detail }: ActEntry): Promise<void> {
    if (act === 'account.revoke') await this.#ending(position, String(detail['account']), 'revoked');
  }

  async #made(position: Position, made: MadeAccount, isAbsent: boolean): Promise<void> {
    const objectionTo = (row: AccountRecord) => {
      this.#told += 1;
      const objection = madeObjection(row, made, isAbsent);
      if (objection !== null) this.#otherwise.add(row.id);
      else if (row.thumbprint !== made.thumbprint) this.#otherKey.set(row.id, position);
      if (made.externalAccountKey === null && row.device !== null) this.#somebodys.set(row.id, position);
      return objection;
    };
    await this.#rows.add({
      id: made.account,
      position,
      objectionTo,
      mayBeGone: isAbsent || made.externalAccountKey === null,
    });
  }

  async #ending(position: Position, id: string, how: 'deactivated' | 'revoked'): Promise<void> {
    this.#ended.set(id, how);
    const objectionTo = ({ status }: AccountRecord) =>
      status === 'valid' ? `was ${how}, and is valid in the store` : null;
    await this.#rows.add({ id, position, objectionTo, mayBeGone: true });
  }

  async #issued(position: Position, { certificate, observations: { order } }: RequestEntry): Promise<void> {
    if (order === null || order === undefined) return;
    const { account, key } = order;
    const how = this.#ended.get(account.id);
    if (how !== undefined) {
      this.#report(position, `account ${account.id} had been ${how}, and was issued a certificate`);
    }
    // Absent with the personal fields of the entry.
    const deviceId: string | undefined = certificate?.deviceId;
    const objectionTo = (row: AccountRecord) => {
      if (this.#otherwise.has(row.id)) return null;
      if (row.externalAccountKey !== (key?.id ?? null)) {
        return 'was issued a certificate by another external account key than it has in the store';
      }
      return deviceId === undefined || row.device === deviceId
        ? null
        : 'was issued a certificate for another device than it is of in the store';
    };
    await this.#rows.add({ id: account.id, position, objectionTo, mayBeGone: true });
  }
}

function madeObjection(row: AccountRecord, made: MadeAccount, isAbsent: boolean): string | null {
  if (row.externalAccountKey !== made.externalAccountKey) {
    return 'is of another external account key in the store';
  }
  if (made.device !== undefined && row.device !== made.device) return 'is of another device in the store';
  const objection = keyObjection(row);
  if (objection !== null) return objection;
  return isAbsent ? 'is in the store, and the personal fields of its entry are not' : null;
}

/** Whoever signs with it has the account, and a key of an account is in no certificate. */
function keyObjection({ jwk, thumbprint: print, spki }: AccountRecord): string | null {
  let key: Jwk;
  try {
    key = parseJwk(parseJson(Buffer.from(jwk), 'jwk'));
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return `has a key in the store that is none: ${error.message}`;
  }
  if (thumbprint(key) !== print) return 'has a key in the store that is not of its thumbprint';
  return sha256Hex(key.spki) === spki ? null : 'has a digest in the store that is not of its key';
}
