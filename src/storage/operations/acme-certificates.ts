import type { AcmeStore, OrderedCertificate } from '#acme';
import type { OrderIdentifier } from '#enrollment';
import { fromJson, type JsonText } from '../json-text.ts';
import { first, type Operation } from '../operation.ts';
import type { CertificateRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { isOver } from './order-over.ts';

type Act<Name extends keyof AcmeStore> = Parameters<AcmeStore[Name]>[0];

const selectPredecessor = statement(
  (database, p: { account: string; template: string; names: string; without: string; now: number }) =>
    database
      .selectFrom('acme_order')
      .innerJoin('certificate', 'certificate.sha256', 'acme_order.certificate')
      .select(['certificate.der', 'certificate.log_idx'])
      .where('acme_order.account', '=', p.account)
      .where('acme_order.names', '=', p.names)
      .where('acme_order.certificate', 'is not', null)
      .where('certificate.template', '=', p.template)
      .where('certificate.sha256', '<>', p.without)
      .where('certificate.revoked_at', 'is', null)
      .where('certificate.not_after', '>=', p.now)
      .orderBy('certificate.log_idx', 'desc')
      .limit(1),
);

/** Of a device, by whichever of its accounts and under whichever of its names. */
const selectPredecessorOfDevice = statement(
  (database, p: { device: string; template: string; without: string; now: number }) =>
    database
      .selectFrom('certificate')
      .select(['der', 'log_idx'])
      .where('device_id', '=', p.device)
      .where('template', '=', p.template)
      .where('sha256', '<>', p.without)
      .where('revoked_at', 'is', null)
      .where('not_after', '>=', p.now)
      .orderBy('log_idx', 'desc')
      .limit(1),
);

const orderedColumns = [
  'sha256',
  'issuer',
  'der',
  'certificate.template',
  'device_id',
  'certificate.not_before',
] as const;

const orderColumns = ['acme_order.account', 'acme_order.identifiers'] as const;

const selectCertificate = statement((database, p: { sha256: string }) =>
  database
    .selectFrom('certificate')
    .leftJoin('acme_order', 'acme_order.certificate', 'certificate.sha256')
    .select(orderedColumns)
    .select(['certificate.not_after', 'revoked_at', 'undelivered', ...orderColumns])
    .where('certificate.sha256', '=', p.sha256),
);

const selectCertificateBySerial = statement((database, p: { issuer: string; serialNumber: string }) =>
  database
    .selectFrom('certificate')
    .leftJoin('acme_order', 'acme_order.certificate', 'certificate.sha256')
    .select(orderedColumns)
    .select(['certificate.not_after', 'revoked_at', 'undelivered', ...orderColumns])
    .where('certificate.issuer', '=', p.issuer)
    .where('certificate.serial_number', '=', p.serialNumber),
);

/** In the words of the index. */
const selectReplacing = statement((database, p: { sha256: string; now: number }) =>
  database
    .selectFrom('acme_order')
    .select('id')
    .where('replaces', '=', p.sha256)
    .where('replaces', 'is not', null)
    .where('error', 'is', null)
    .where((eb) => eb.not(isOver(eb, p.now)))
    .limit(1),
);

export function* predecessor(query: Act<'predecessor'>): Operation<Uint8Array | null> {
  const row =
    'device' in query
      ? yield* first(selectPredecessorOfDevice, { ...query, without: query.without ?? '' })
      : yield* first(selectPredecessor, { ...query, without: query.without ?? '' });
  return row === undefined || row.der.length === 0 ? null : row.der;
}

export function* orderedCertificate(query: Act<'certificate'>): Operation<OrderedCertificate | null> {
  const row =
    'sha256' in query
      ? yield* first(selectCertificate, query)
      : yield* first(selectCertificateBySerial, query);
  if (row === undefined || row.der.length === 0) return null;
  const replacing = yield* first(selectReplacing, { sha256: row.sha256, now: query.now });
  return { ...certificateOf(row), replacedBy: replacing?.id ?? null };
}

function certificateOf(
  row: Pick<
    CertificateRow,
    | 'sha256'
    | 'issuer'
    | 'der'
    | 'template'
    | 'device_id'
    | 'not_before'
    | 'not_after'
    | 'revoked_at'
    | 'undelivered'
  > & {
    readonly account: string | null;
    readonly identifiers: JsonText<readonly OrderIdentifier[]> | null;
  },
): Omit<OrderedCertificate, 'replacedBy'> {
  return {
    sha256: row.sha256,
    issuer: row.issuer,
    der: row.der,
    template: row.template,
    device: row.device_id,
    notBefore: row.not_before,
    notAfter: row.not_after,
    revokedAt: row.revoked_at,
    undelivered: row.undelivered !== null,
    account: row.account,
    ordered: row.identifiers === null ? [] : fromJson(row.identifiers),
  };
}
