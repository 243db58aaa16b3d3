import { sql } from 'kysely';
import type { AdminStore } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { all, first, type Operation, run } from '../operation.ts';
import type { LostCertificateRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

type CrlAct = Parameters<AdminStore['saveCrl']>[0];
type StoredCrl = Awaited<ReturnType<AdminStore['crl']>>;
type StoredCrlInfo = Awaited<ReturnType<AdminStore['crlInfo']>>;
type Revocation = Awaited<ReturnType<AdminStore['revoked']>>[number];

/** RFC 5280 section 5.3.1: the reason of which the reason code extension "SHOULD be absent". */
const unspecified = 0;

const selectRevoked = statement((database, p: { issuer: string; since: number }) =>
  database
    .selectFrom('certificate')
    .select(['serial_number', 'revoked_at', 'revocation_reason'])
    .where('issuer', '=', p.issuer)
    .where('revoked_at', 'is not', null)
    .where('not_after', '>=', p.since),
);

const selectAbandoned = statement((database, p: { issuer: string }) =>
  database
    .selectFrom('abandoned_intent')
    .select(['serial_number', 'abandoned_at'])
    .where('issuer', '=', p.issuer),
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
    .select(['number', 'this_update', 'next_update', sql<number>`length(der)`.as('octets')])
    .where('issuer', '=', p.issuer),
);

interface CrlParameters {
  readonly issuer: string;
  readonly number: string;
  readonly der: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

const insertCrl = statement((database, p: CrlParameters) =>
  database.insertInto('crl').values({
    issuer: p.issuer,
    number: p.number,
    der: p.der,
    this_update: p.thisUpdate,
    next_update: p.nextUpdate,
  }),
);

const replaceCrl = statement((database, p: CrlParameters & { readonly previous: string }) =>
  database
    .updateTable('crl')
    .set({ number: p.number, der: p.der, this_update: p.thisUpdate, next_update: p.nextUpdate })
    .where('issuer', '=', p.issuer)
    .where('number', '=', p.previous),
);

const raiseNumber = statement((database, p: { issuer: string; number: string }) =>
  database.updateTable('crl').set({ number: p.number }).where('issuer', '=', p.issuer),
);

/** Serials of abandoned intents and lost certificates stay for good: nobody knows when a certificate that was never seen expires. */
export function* revoked(query: { issuer: string; since: number }): Operation<readonly Revocation[]> {
  const certificates = yield* all(selectRevoked, query);
  const abandoned = yield* all(selectAbandoned, { issuer: query.issuer });
  const lost = yield* all(selectLostOf, { issuer: query.issuer });
  return [
    ...certificates.map((row) => revocation(row.serial_number, row.revoked_at, row.revocation_reason)),
    ...abandoned.map((row) => revocation(row.serial_number, row.abandoned_at, unspecified)),
    ...lost.map((row) => revocation(row.serial_number, row.revoked_at, row.revocation_reason)),
  ];
}

export function* revokedCount(query: { issuer: string; since: number }): Operation<number> {
  const certificates = (yield* first(countRevoked, query))?.count ?? 0;
  const abandoned = (yield* first(countAbandoned, { issuer: query.issuer }))?.count ?? 0;
  const lost = (yield* first(countLost, { issuer: query.issuer }))?.count ?? 0;
  return certificates + abandoned + lost;
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

function infoOf(row: { number: string; octets: number; this_update: number; next_update: number }) {
  return {
    number: BigInt(row.number),
    octets: row.octets,
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

/** RFC 5280 section 5.2.3: the number is "monotonically increasing". Throws 'conflict' for one that is not. */
export function* saveCrl(act: CrlAct): Operation<LogPosition> {
  const { issuer, der, thisUpdate, nextUpdate } = act;
  const row = { issuer, number: act.number.toString(), der, thisUpdate, nextUpdate };
  const previous = (yield* first(selectCrlInfo, { issuer }))?.number;
  if (previous === undefined) {
    yield* run(insertCrl, row);
  } else {
    const replaced = BigInt(previous) < act.number && (yield* run(replaceCrl, { ...row, previous })) === 1;
    if (!replaced) {
      throw new SallyportError('conflict', `CRL ${previous} of ${issuer} is as new as ${row.number}`);
    }
  }
  return { index: yield* append(act.entry) };
}

function revocation(serialNumber: string, revokedAt: number | null, reason: number | null): Revocation {
  return { serialNumber, revokedAt: revokedAt ?? 0, reason: reason ?? unspecified };
}
