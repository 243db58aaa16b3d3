import { sql } from 'kysely';
import type { AdminStore } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { all, first, type Operation, run } from '../operation.ts';
import type { AbandonedIntentRow, CrlRow, LostCertificateRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';
import { revokedOwn } from './own-certificates.ts';

type CrlAct = Parameters<AdminStore['saveCrl']>[0];
type StoredCrl = Awaited<ReturnType<AdminStore['crl']>>;
type StoredCrlInfo = Awaited<ReturnType<AdminStore['crlInfo']>>;
type Revocation =
  ReturnType<AdminStore['revoked']> extends AsyncIterable<readonly (infer Row)[]> ? Row : never;

/** RFC 5280 section 5.3.1: the reason of which the reason code extension "SHOULD be absent". */
const unspecified = 0;

/** Along the index, from where the page before ended. */
const selectRevoked = statement(
  (database, p: { issuer: string; notAfter: number; place: number; limit: number }) =>
    database
      .selectFrom('certificate')
      .select(['log_idx', 'not_after', 'serial_number', 'revoked_at', 'revocation_reason'])
      .where('issuer', '=', p.issuer)
      .where('revoked_at', 'is not', null)
      .where('not_after', '>=', p.notAfter)
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('not_after', 'log_idx'), '>', tuple(p.notAfter, p.place)),
      )
      .orderBy('not_after')
      .orderBy('log_idx')
      .limit(p.limit),
);

const selectAbandoned = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('abandoned_intent')
    .select(['serial_number', 'abandoned_at'])
    .where('issuer', '=', p.issuer),
);

const selectAbandonedAfter = statement((database, p: { after: string; limit: number }) =>
  database
    .selectFrom('abandoned_intent')
    .select(['id', 'issuer', 'serial_number'])
    .where('id', '>', p.after)
    .orderBy('id')
    .limit(p.limit),
);

const countRevoked = statement((database, p: { issuer: string; since: number }) =>
  database
    .selectFrom('certificate')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('issuer', '=', p.issuer)
    .where('revoked_at', 'is not', null)
    .where('not_after', '>=', p.since),
);

const countAbandoned = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('abandoned_intent')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('issuer', '=', p.issuer),
);

const countLost = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('lost_certificate')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('issuer', '=', p.issuer),
);

const selectLost = statement((database) => database.selectFrom('lost_certificate').selectAll());

const selectLostOf = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('lost_certificate')
    .select(['serial_number', 'revoked_at', 'revocation_reason'])
    .where('issuer', '=', p.issuer),
);

const selectCrl = statement((database, p: { issuer: string }) =>
  database.selectFrom('crl').selectAll().where('issuer', '=', p.issuer),
);

const selectCrlInfo = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('crl')
    .select(['number', 'listed', 'this_update', 'next_update', sql<number>`length(der)`.as('octets')])
    .where('issuer', '=', p.issuer),
);

interface CrlParameters {
  readonly issuer: string;
  readonly number: string;
  readonly der: Uint8Array;
  readonly listed: number;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

const insertCrl = statement((database, p: CrlParameters) =>
  database.insertInto('crl').values({
    issuer: p.issuer,
    number: p.number,
    der: p.der,
    listed: p.listed,
    this_update: p.thisUpdate,
    next_update: p.nextUpdate,
  }),
);

const replaceCrl = statement((database, p: CrlParameters & { readonly previous: string }) =>
  database
    .updateTable('crl')
    .set({
      number: p.number,
      der: p.der,
      listed: p.listed,
      this_update: p.thisUpdate,
      next_update: p.nextUpdate,
    })
    .where('issuer', '=', p.issuer)
    .where('number', '=', p.previous),
);

const raiseNumber = statement((database, p: { issuer: string; number: string }) =>
  database.updateTable('crl').set({ number: p.number }).where('issuer', '=', p.issuer),
);

export type AbandonedSerial = Pick<AbandonedIntentRow, 'id' | 'issuer' | 'serial_number'>;

export interface RevokedPage {
  readonly rows: readonly Revocation[];
  /** Where the next page begins; null: there is none. */
  readonly next: { readonly notAfter: number; readonly place: number } | null;
}

export function* revokedCertificates(query: {
  issuer: string;
  from: NonNullable<RevokedPage['next']>;
  limit: number;
}): Operation<RevokedPage> {
  const { issuer, from, limit } = query;
  const rows = yield* all(selectRevoked, { issuer, ...from, limit });
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    rows: rows.map((row) => revocation(row.serial_number, row.revoked_at, row.revocation_reason)),
    next: last === undefined ? null : { notAfter: last.not_after, place: last.log_idx },
  };
}

/**
 * Serials of abandoned intents and lost certificates stay for good: nobody knows when a certificate that was never seen expires. Those of the
 * authority's own parts do, being few.
 */
export function* revokedUnseen({ issuer }: { issuer: string }): Operation<readonly Revocation[]> {
  const abandoned = yield* all(selectAbandoned, { issuer });
  const lost = yield* all(selectLostOf, { issuer });
  const own = yield* revokedOwn({ issuer });
  return [
    ...abandoned.map((row) => revocation(row.serial_number, row.abandoned_at, unspecified)),
    ...[...lost, ...own].map((row) => revocation(row.serial_number, row.revoked_at, row.revocation_reason)),
  ];
}

export function* revokedCount(query: { issuer: string; since: number }): Operation<number> {
  const certificates = (yield* first(countRevoked, query))?.count ?? 0;
  const abandoned = (yield* first(countAbandoned, { issuer: query.issuer }))?.count ?? 0;
  const lost = (yield* first(countLost, { issuer: query.issuer }))?.count ?? 0;
  const own = (yield* revokedOwn({ issuer: query.issuer })).length;
  return certificates + abandoned + lost + own;
}

/** In the order of their ids. */
export function* nextAbandoned(query: {
  after: string;
  limit: number;
}): Operation<readonly AbandonedSerial[]> {
  return yield* all(selectAbandonedAfter, query);
}

export function* lostCertificates(): Operation<readonly LostCertificateRow[]> {
  return yield* all(selectLost, {});
}

export function* crl({ issuer }: { issuer: string }): Operation<StoredCrl> {
  const row = yield* first(selectCrl, { issuer });
  if (row === undefined) return null;
  return { ...infoOf({ ...row, octets: row.der.length }), der: row.der };
}

export function* crlInfo({ issuer }: { issuer: string }): Operation<StoredCrlInfo> {
  const row = yield* first(selectCrlInfo, { issuer });
  return row === undefined ? null : infoOf(row);
}

function infoOf(
  row: Omit<CrlRow, 'issuer' | 'der'> & { readonly octets: number },
): NonNullable<StoredCrlInfo> {
  return {
    number: BigInt(row.number),
    octets: row.octets,
    listed: row.listed,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
  };
}

/** Where a higher number is known to be out, the next list is to have one above it. */
export function* raiseCrlNumber(seen: { issuer: string; number: bigint }): Operation<void> {
  const { issuer, number } = seen;
  const current = yield* first(selectCrlInfo, { issuer });
  if (current === undefined || BigInt(current.number) >= number) return;
  yield* run(raiseNumber, { issuer, number: number.toString() });
}

/**
 * RFC 5280 section 5.2.3: the number is "monotonically increasing". Throws 'conflict' for one that is not, and where another list came after the
 * one that this one follows: what that one lists may not be on this one.
 */
export function* saveCrl(act: CrlAct): Operation<LogPosition> {
  const { issuer, der, listed, thisUpdate, nextUpdate } = act;
  const row = { issuer, number: act.number.toString(), der, listed, thisUpdate, nextUpdate };
  const stored = (yield* first(selectCrlInfo, { issuer }))?.number ?? null;
  if (stored !== (act.previous?.toString() ?? null)) {
    throw new SallyportError('conflict', `CRL ${stored} of ${issuer} was issued meanwhile`);
  }
  if (stored !== null && BigInt(stored) >= act.number) {
    throw new SallyportError('conflict', `CRL ${stored} of ${issuer} is as new as ${row.number}`);
  }
  if (stored === null) yield* run(insertCrl, row);
  else yield* run(replaceCrl, { ...row, previous: stored });
  return { index: yield* append(act.entry) };
}

function revocation(serialNumber: string, revokedAt: number | null, reason: number | null): Revocation {
  return { serialNumber, revokedAt: revokedAt ?? 0, reason: reason ?? unspecified };
}
