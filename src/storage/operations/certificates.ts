import type { Kysely } from 'kysely';
import type { AdminStore, StoredCertificateInfo } from '#admin';
import type { NewEntry } from '#audit';
import type { LogPosition, StoredCertificate } from '#enrollment';
import { SallyportError } from '#errors';
import { all, first, type Operation, run } from '../operation.ts';
import { atPlace } from '../place.ts';
import type { CertificateRow, Schema } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

type CertificateFilter = Parameters<AdminStore['certificates']>[0];
export type WholeCertificate = StoredCertificateInfo & { readonly der: Uint8Array };
type InfoRow = Omit<CertificateRow, 'der' | 'names' | 'undelivered'>;

const infoColumns = [
  'log_idx',
  'sha256',
  'issuer',
  'serial_number',
  'device_id',
  'template',
  'spki',
  'not_before',
  'not_after',
  'predecessor',
  'revoked_at',
  'revocation_reason',
] as const satisfies readonly (keyof CertificateRow)[];

type Issued = StoredCertificate & { readonly undelivered: boolean };

type Row = StoredCertificate & Pick<CertificateRow, 'undelivered'> & { readonly place: number };

const insertCertificate = statement((database, p: Row) =>
  database.insertInto('certificate').values({
    log_idx: p.place,
    sha256: p.sha256,
    issuer: p.issuer,
    serial_number: p.serialNumber,
    der: p.der,
    device_id: p.deviceId,
    template: p.template,
    spki: p.spki,
    names: p.names,
    not_before: p.notBefore,
    not_after: p.notAfter,
    predecessor: p.predecessor,
    undelivered: p.undelivered,
  }),
);

const markDelivered = statement((database, p: { sha256: string }) =>
  database.updateTable('certificate').set({ undelivered: null }).where('sha256', '=', p.sha256),
);

const selectBySha256 = statement((database, p: { sha256: string }) =>
  database.selectFrom('certificate').selectAll().where('sha256', '=', p.sha256),
);

const selectBySerialNumber = statement((database, p: { serialNumber: string }) =>
  database
    .selectFrom('certificate')
    .selectAll()
    .where('serial_number', '=', p.serialNumber)
    .orderBy('log_idx', 'desc')
    .limit(1),
);

const selectLogIndex = statement((database, p: { sha256: string }) =>
  database.selectFrom('certificate').select('log_idx').where('sha256', '=', p.sha256),
);

const revoke = statement((database, p: { sha256: string; reason: number; now: number }) =>
  database
    .updateTable('certificate')
    .set({ revoked_at: p.now, revocation_reason: p.reason })
    .where('sha256', '=', p.sha256)
    .where('revoked_at', 'is', null),
);

interface Page {
  readonly afterPlace: number;
  readonly template: string | null;
  readonly state: 'current' | 'revoked' | 'expired' | null;
  readonly now: number;
  readonly limit: number;
}

const selectPage = statement((database, p: Page) => page(database, p));

const selectPageOfDevice = statement((database, p: Page & { readonly deviceId: string }) =>
  page(database, p).where('device_id', '=', p.deviceId),
);

/** With their bytes, for whoever reads them all. */
const selectNext = statement((database, p: { afterPlace: number; limit: number }) =>
  database
    .selectFrom('certificate')
    .selectAll()
    .where('log_idx', '>', p.afterPlace)
    .orderBy('log_idx')
    .limit(p.limit),
);

function page(database: Kysely<Schema>, p: Page) {
  return database
    .selectFrom('certificate')
    .select(infoColumns)
    .where('log_idx', '>', p.afterPlace)
    .where((eb) => eb('template', '=', eb.fn.coalesce(eb.val(p.template), eb.ref('template'))))
    .where((eb) => {
      const state = eb
        .case()
        .when('revoked_at', 'is not', null)
        .then('revoked')
        .when('not_after', '<', p.now)
        .then('expired')
        .else('current')
        .end();
      return eb(state, '=', eb.fn.coalesce(eb.val(p.state), state));
    })
    .orderBy('log_idx')
    .limit(p.limit);
}

/** `place` of the entry that says so. */
export function* insertIssued(certificate: Issued, place: number): Operation<void> {
  yield* run(insertCertificate, { ...certificate, undelivered: certificate.undelivered ? 1 : null, place });
}

export function* certificate({ sha256 }: { sha256: string }): Operation<Issued | null> {
  const row = yield* first(selectBySha256, { sha256 });
  // Erased, there is nothing left to deliver.
  if (row === undefined || row.der.length === 0) return null;
  const {
    log: _log,
    logIndex: _,
    revokedAt: _at,
    revocationReason: _reason,
    ...stored
  } = certificateInfoOf(row);
  return { ...stored, names: row.names, der: row.der, undelivered: row.undelivered !== null };
}

/** Somebody has it from here on. */
export function* delivered({ sha256 }: { sha256: string }): Operation<void> {
  yield* run(markDelivered, { sha256 });
}

export function* certificateInfo({ id }: { id: string }): Operation<WholeCertificate | null> {
  const hex = id.toLowerCase();
  const row =
    (yield* first(selectBySha256, { sha256: hex })) ??
    (yield* first(selectBySerialNumber, { serialNumber: hex }));
  return row === undefined ? null : { ...certificateInfoOf(row), der: row.der };
}

export function* certificates(filter: CertificateFilter): Operation<readonly StoredCertificateInfo[]> {
  const { deviceId, template = null, state = null, after, now, limit } = filter;
  const last = after === undefined ? undefined : yield* first(selectLogIndex, { sha256: after });
  const from = { afterPlace: last?.log_idx ?? -1, template, state, now, limit };
  const rows =
    deviceId === undefined
      ? yield* all(selectPage, from)
      : yield* all(selectPageOfDevice, { ...from, deviceId });
  return rows.map(certificateInfoOf);
}

export function* nextCertificates(query: {
  afterPlace: number;
  limit: number;
}): Operation<readonly WholeCertificate[]> {
  return (yield* all(selectNext, query)).map((row) => ({ ...certificateInfoOf(row), der: row.der }));
}

/** False: it is not here, or is revoked already. */
export function* revokeIfCurrent(revocation: {
  sha256: string;
  reason: number;
  now: number;
}): Operation<boolean> {
  return (yield* run(revoke, revocation)) === 1;
}

export function* revokeCertificate(act: {
  sha256: string;
  reason: number;
  now: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { sha256, reason, now, entry } = act;
  if ((yield* run(revoke, { sha256, reason, now })) !== 1) {
    const known = yield* first(selectLogIndex, { sha256 });
    if (known === undefined) {
      throw new SallyportError('not-found', `no certificate has the SHA-256 ${sha256}`);
    }
    throw new SallyportError('conflict', `certificate ${sha256} is revoked already`);
  }
  return { index: yield* append(entry) };
}

function certificateInfoOf(row: InfoRow): StoredCertificateInfo {
  return {
    issuer: row.issuer,
    serialNumber: row.serial_number,
    sha256: row.sha256,
    deviceId: row.device_id,
    template: row.template,
    spki: row.spki,
    notBefore: row.not_before,
    notAfter: row.not_after,
    predecessor: row.predecessor,
    revokedAt: row.revoked_at,
    revocationReason: row.revocation_reason,
    ...atPlace(row.log_idx),
  };
}

const selectRevokedAt = statement((database, p: { sha256: string }) =>
  database.selectFrom('certificate').select('revoked_at').where('sha256', '=', p.sha256),
);

/** Throws 'conflict' where the certificate was revoked since it was observed. */
export function* assertUnrevoked(sha256: string): Operation<void> {
  const row = yield* first(selectRevokedAt, { sha256 });
  if (row === undefined || row.revoked_at !== null) {
    throw new SallyportError('conflict', `certificate ${sha256} is revoked, or unknown`);
  }
}
