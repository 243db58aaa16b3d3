import { isDeepStrictEqual } from 'node:util';
import { nameOfMachine } from '#admin';
import type { ActEntry, Entry, RequestEntry } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import { newAccountOf } from './acme-answer.ts';
import type { Position } from './compare-certificates.ts';
import { RowChecks } from './row-checks.ts';

type KeyRecord = NonNullable<Awaited<ReturnType<ReadOnlyStorage['externalAccountKeys']>>[number]>;
type Bounds = Pick<KeyRecord, 'templates' | 'maximumCertificates' | 'approvedBy'>;
type Report = (position: Position | null, message: string) => void;

export type KeyStore = Pick<
  ReadOnlyStorage,
  'externalAccountKeys' | 'liveExternalAccountKeyBy' | 'acmeCounts'
>;

/**
 * What an owner was given is what the act that gave it says, and is void where an entry says so. An erasure takes the row with its device. In the order
 * of the logs; only the ids of those that were made void are held in memory.
 */
export class ExternalAccountKeyComparison {
  readonly #store: KeyStore;
  readonly #report: Report;
  /** Of the log that is written: what came before a restore is void. */
  readonly #written: number;
  readonly #rows: RowChecks<KeyRecord>;
  readonly #void = new Set<string>();
  /** Rows that are not as they were made: what was given by them says nothing more. */
  readonly #otherwise = new Set<string>();
  /** Rows of which the log tells. */
  #told = 0;
  #restoredAt = -Infinity;

  constructor(store: KeyStore, written: number, report: Report) {
    this.#store = store;
    this.#written = written;
    this.#report = report;
    this.#rows = new RowChecks('external account key', (ids) => store.externalAccountKeys(ids), report);
  }

  /** `isAbsent`: its personal fields are not there. */
  async entry(position: Position, entry: Entry, isAbsent: boolean): Promise<void> {
    if (position.log > 0 && position.logIndex === 0) this.#restoredAt = entry.time;
    if (entry.type === 'act') await this.#act(position, entry, isAbsent);
    if (entry.type === 'request') await this.#request(position, entry);
  }

  /** After the last entry. */
  async end(): Promise<void> {
    await this.#rows.end();
    const { externalAccountKeys: stored } = await this.#store.acmeCounts();
    if (stored <= this.#told) return;
    const words = `the store has ${stored} external account keys, of which the log tells of ${this.#told}`;
    this.#report(null, words);
  }

  async #act(position: Position, entry: ActEntry, isAbsent: boolean): Promise<void> {
    const { act, detail } = entry;
    const id = String(detail['externalAccountKey']);
    if (act === 'eab.create') {
      const objectionTo = (row: KeyRecord) => {
        this.#told += 1;
        const objection = createdObjection(row, entry, isAbsent);
        if (objection !== null) this.#otherwise.add(id);
        return objection ?? this.#aliveObjection(row, position);
      };
      await this.#rows.add({ id, position, objectionTo, mayBeGone: isAbsent });
    } else if (act === 'eab.void') {
      this.#void.add(id);
      const objectionTo = ({ state }: KeyRecord) =>
        state === 'void' ? null : `was made void, and is ${state} in the store`;
      await this.#rows.add({ id, position, objectionTo, mayBeGone: true });
    } else if (act === 'machine.revoke') {
      const name = String(detail['machine']);
      const live = await this.#store.liveExternalAccountKeyBy(nameOfMachine({ name }));
      if (live === null) return;
      this.#report(
        position,
        `machine ${name} was revoked, and its external account key ${live} is live in the store`,
      );
    }
  }

  /** Retired for good is a device by the log too (compare-devices.ts). */
  #aliveObjection({ state, deviceState }: KeyRecord, { log }: Position): string | null {
    if (state === 'void') return null;
    if (log < this.#written) return `was made void by a restore, and is ${state} in the store`;
    return deviceState === 'retired' ? `is of a retired device, and is ${state} in the store` : null;
  }

  async #request(position: Position, entry: RequestEntry): Promise<void> {
    const made = newAccountOf(entry);
    if (made !== null && made.externalAccountKey !== null) {
      const objectionTo = ({ state }: KeyRecord) =>
        state === 'live' ? `was spent, and is live in the store` : null;
      await this.#rows.add({ id: made.externalAccountKey, position, objectionTo, mayBeGone: true });
    }
    const { order } = entry.observations;
    if (entry.outcome !== 'issued' || order === null || order === undefined) return;
    const { key } = order;
    if (key === null) return;
    if (this.#void.has(key.id)) {
      this.#report(position, `external account key ${key.id} gave a certificate, and had been made void`);
    }
    const restoredAt = this.#restoredAt;
    const objectionTo = (row: KeyRecord) => {
      if (this.#otherwise.has(row.id)) return null;
      if (row.createdAt < restoredAt) return 'gave a certificate, and the restore before had made it void';
      const objection = boundsObjection(row, key) ?? namesObjection(row, key.names);
      return objection === null ? null : `gave a certificate, and ${objection}`;
    };
    await this.#rows.add({ id: key.id, position, objectionTo, mayBeGone: true });
  }
}

function createdObjection(
  row: KeyRecord,
  { time, operator, detail }: ActEntry,
  isAbsent: boolean,
): string | null {
  const { device, templates, names, maximumCertificates, approve, expiresAt } = detail;
  if (row.createdAt !== time || row.expiresAt !== expiresAt) return 'has another lifetime in the store';
  if (row.by !== operator) return 'was made by another by the store';
  const bounds = { templates, maximumCertificates, approvedBy: approve === true ? operator : null };
  const objection = boundsObjection(row, bounds);
  if (objection !== null) return objection;
  if (isAbsent) return 'is in the store, and the personal fields of its entry are not';
  if (row.deviceId !== device) return 'is for another device in the store';
  return namesObjection(row, names);
}

function boundsObjection(row: KeyRecord, bounds: Readonly<Record<keyof Bounds, unknown>>): string | null {
  if (!isDeepStrictEqual(row.templates, bounds.templates)) return 'is for other templates in the store';
  if (row.maximumCertificates !== bounds.maximumCertificates) {
    return 'is for another number of certificates in the store';
  }
  return row.approvedBy === bounds.approvedBy ? null : 'has another approval in the store';
}

/** Without its personal fields an entry has no names. */
function namesObjection(row: KeyRecord, names: unknown): string | null {
  return names === undefined || isDeepStrictEqual(row.names, names)
    ? null
    : 'is for other names in the store';
}
