import type { AdminStore, StoredRaCertificate } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { all, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

type RaCertificateAct = Parameters<AdminStore['saveRaCertificate']>[0];

const selectOf = statement((database, p: { issuer: string; now: number }) =>
  database
    .selectFrom('ra_certificate')
    .select(['serial_number', 'spki', 'not_before', 'not_after', 'der'])
    .where('issuer', '=', p.issuer)
    .where('revoked_at', 'is', null)
    .where('not_after', '>', p.now)
    .orderBy('not_after', 'desc')
    .orderBy('serial_number'),
);

const insert = statement((database, p: { issuer: string } & StoredRaCertificate) =>
  database.insertInto('ra_certificate').values({
    issuer: p.issuer,
    serial_number: p.serialNumber,
    spki: p.spki,
    not_before: p.notBefore,
    not_after: p.notAfter,
    der: p.der,
  }),
);

const revoke = statement(
  (database, p: { issuer: string; serialNumber: string; now: number; reason: number }) =>
    database
      .updateTable('ra_certificate')
      .set({ revoked_at: p.now, revocation_reason: p.reason })
      .where('issuer', '=', p.issuer)
      .where('serial_number', '=', p.serialNumber)
      .where('revoked_at', 'is', null),
);

/** Neither revoked nor expired, the one that ends last first. */
export function* raCertificates(query: {
  issuer: string;
  now: number;
}): Operation<readonly StoredRaCertificate[]> {
  const rows = yield* all(selectOf, query);
  return rows.map((row) => ({
    serialNumber: row.serial_number,
    spki: row.spki,
    notBefore: row.not_before,
    notAfter: row.not_after,
    der: row.der,
  }));
}

/** Throws 'conflict' where another one was saved since these were read. */
export function* saveRaCertificate(act: RaCertificateAct): Operation<LogPosition> {
  const { issuer, certificate, newest, replaced, now, entry } = act;
  const [found] = yield* raCertificates({ issuer, now });
  if ((found?.serialNumber ?? null) !== newest) {
    throw new SallyportError('conflict', `an RA certificate of ${issuer} was issued meanwhile`);
  }
  yield* run(insert, { issuer, ...certificate });
  for (const { serialNumber, reason } of replaced) yield* run(revoke, { issuer, serialNumber, now, reason });
  return { index: yield* append(entry) };
}
