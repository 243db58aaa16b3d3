import type { AdminStore, StoredListenerCertificate } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { all, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

type ListenerCertificateActs = Parameters<AdminStore['saveListenerCertificates']>[0];
type Holder = Parameters<AdminStore['listenerCertificates']>[0];

const selectOf = statement((database, p: Holder & { now: number }) =>
  database
    .selectFrom('listener_certificate')
    .select(['issuer', 'serial_number', 'spki', 'not_before', 'not_after', 'der'])
    .where('node', '=', p.node)
    .where('listener', '=', p.listener)
    .where('revoked_at', 'is', null)
    .where('not_after', '>', p.now)
    .orderBy('not_after', 'desc')
    .orderBy('serial_number'),
);

const insert = statement((database, p: Holder & StoredListenerCertificate) =>
  database.insertInto('listener_certificate').values({
    issuer: p.issuer,
    serial_number: p.serialNumber,
    node: p.node,
    listener: p.listener,
    spki: p.spki,
    not_before: p.notBefore,
    not_after: p.notAfter,
    der: p.der,
  }),
);

const revoke = statement(
  (database, p: { issuer: string; serialNumber: string; now: number; reason: number }) =>
    database
      .updateTable('listener_certificate')
      .set({ revoked_at: p.now, revocation_reason: p.reason })
      .where('issuer', '=', p.issuer)
      .where('serial_number', '=', p.serialNumber)
      .where('revoked_at', 'is', null),
);

/** Neither revoked nor expired, the one that ends last first. */
export function* listenerCertificates(
  query: Holder & { now: number },
): Operation<readonly StoredListenerCertificate[]> {
  const rows = yield* all(selectOf, query);
  return rows.map((row) => ({
    issuer: row.issuer,
    serialNumber: row.serial_number,
    spki: row.spki,
    notBefore: row.not_before,
    notAfter: row.not_after,
    der: row.der,
  }));
}

/** All of them or none. Throws 'conflict' where another one of the same listener was saved since these were read. */
export function* saveListenerCertificates(acts: ListenerCertificateActs): Operation<readonly LogPosition[]> {
  const positions: LogPosition[] = [];
  for (const { holder, certificate, known, replaced, now, entry } of acts) {
    const found = yield* listenerCertificates({ ...holder, now });
    const unknown = found.find(({ serialNumber }) => !known.includes(serialNumber));
    if (unknown !== undefined) {
      throw new SallyportError(
        'conflict',
        `a certificate of listener ${holder.listener} was issued meanwhile`,
      );
    }
    yield* run(insert, { ...holder, ...certificate });
    for (const each of replaced) yield* run(revoke, { ...each, now });
    positions.push({ index: yield* append(entry) });
  }
  return positions;
}
