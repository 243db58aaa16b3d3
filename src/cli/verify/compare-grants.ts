import { isDeepStrictEqual } from 'node:util';
import type { ActEntry, Entry, RequestEntry } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import type { Position } from './compare-certificates.ts';
import { RowChecks } from './row-checks.ts';

type SecretRecord = NonNullable<Awaited<ReturnType<ReadOnlyStorage['secrets']>>[number]>;
type ApprovalRecord = NonNullable<Awaited<ReturnType<ReadOnlyStorage['approvals']>>[number]>;
type Report = (position: Position | null, message: string) => void;

type Store = Pick<ReadOnlyStorage, 'secrets' | 'secretCount' | 'approvals'>;

/**
 * What a certificate was given for was given once, and as the log says. The store's row has room for one certificate, and every entry that tells of
 * the secret or approval is held against that same row: two certificates for one cannot both fit, and none is held in memory.
 */
export class GrantComparison {
  readonly #store: Store;
  readonly #report: Report;
  /** Secrets of which the log tells. */
  #created = 0;
  readonly #secrets: RowChecks<SecretRecord>;
  readonly #approvals: RowChecks<ApprovalRecord>;
  /** Of the restore with which this log began: what was open then was voided. */
  #restoredAt = -Infinity;

  constructor(store: Store, report: Report) {
    this.#store = store;
    this.#report = report;
    this.#secrets = new RowChecks('secret', (ids) => store.secrets(ids), report);
    this.#approvals = new RowChecks('approval', (ids) => store.approvals(ids), report);
  }

  /** In the order of the logs. `approvalNeeded`: the verdict of the entry follows with its approval alone. */
  async entry(position: Position, entry: Entry, approvalNeeded: boolean): Promise<void> {
    if (position.log > 0 && position.logIndex === 0) this.#restoredAt = entry.time;
    if (entry.type === 'act') await this.#act(position, entry);
    if (entry.type === 'request' && entry.outcome === 'issued') {
      await this.#issued(position, entry, approvalNeeded);
    }
  }

  /** After the last entry. */
  async end(): Promise<void> {
    await this.#secrets.end();
    await this.#approvals.end();
    const stored = await this.#store.secretCount();
    // Each that the log tells of is there, or a finding: more are some that nobody created.
    if (stored > this.#created) {
      this.#report(null, `the store has ${stored} secrets, of which the log tells of ${this.#created}`);
    }
  }

  async #act(position: Position, entry: ActEntry): Promise<void> {
    const id = String(entry.detail['secret']);
    if (entry.act === 'secret.create') {
      this.#created += 1;
      await this.#secrets.add({ id, position, objectionTo: (row) => createdObjection(row, entry) });
    } else if (entry.act === 'secret.revoke') {
      const objectionTo = ({ state }: SecretRecord) =>
        state === 'void' ? null : `was voided, and is ${state} in the store`;
      await this.#secrets.add({ id, position, objectionTo });
    }
  }

  async #issued(position: Position, entry: RequestEntry, approvalNeeded: boolean): Promise<void> {
    const { secret, approval } = entry.observations;
    const restoredAt = this.#restoredAt;
    if (typeof secret?.id === 'string') {
      const objectionTo = (row: SecretRecord) =>
        row.createdAt < restoredAt ? voidedWords : spentObjection(row, entry);
      await this.#secrets.add({ id: secret.id, position, objectionTo });
    }
    if (approval === null || !approvalNeeded) return;
    const objectionTo = ({ state, intentId }: ApprovalRecord) => {
      if (approval.createdAt < restoredAt) return voidedWords;
      if (state !== 'used') return `gave a certificate, and is ${state} in the store`;
      return intentId === entry.id ? null : `gave a certificate, and another one by the store`;
    };
    await this.#approvals.add({ id: approval.id, position, objectionTo });
  }
}

const voidedWords = 'gave a certificate, and the restore before had voided it';

function createdObjection(row: SecretRecord, { time, detail }: ActEntry): string | null {
  const { device, template, expected, expiresAt } = detail;
  if (row.createdAt !== time || row.expiresAt !== expiresAt) return 'has another lifetime in the store';
  return boundObjection(row, { device, template, expected });
}

function spentObjection(row: SecretRecord, { observations, certificate }: RequestEntry): string | null {
  if (row.state !== 'spent') return `gave a certificate, and is ${row.state} in the store`;
  if (row.certificate !== certificate?.sha256) return 'gave a certificate, and another one by the store';
  const { expiresAt, expected } = observations.secret!;
  if (row.expiresAt !== expiresAt) return 'has another lifetime in the store';
  return boundObjection(row, {
    device: certificate.deviceId,
    template: certificate.template,
    expected,
  });
}

/** Without its personal fields an entry names neither device nor names. */
function boundObjection(
  row: SecretRecord,
  { device, template, expected }: Readonly<Record<'device' | 'template' | 'expected', unknown>>,
): string | null {
  if (row.template !== template) return 'is for another template in the store';
  if (typeof device !== 'string') return null;
  if (row.deviceId !== device) return 'is for another device in the store';
  return isDeepStrictEqual(row.expected, expected) ? null : 'expects other names in the store';
}
