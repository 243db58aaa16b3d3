import type { ObserveQuery, StoreObservation } from '#enrollment';
import { fromJson } from '../json-text.ts';
import { first, type Operation } from '../operation.ts';
import { statement } from '../statement.ts';

const selectSecret = statement((database, p: { mac: Uint8Array; now: number }) =>
  database
    .selectFrom('secret')
    .leftJoin('certificate', (join) =>
      join
        .onRef('certificate.sha256', '=', 'secret.certificate')
        .on('certificate.revoked_at', 'is', null)
        .on('certificate.not_after', '>=', p.now),
    )
    .select(['secret.id', 'secret.device_id', 'secret.template', 'secret.expected', 'secret.state'])
    .select(['secret.expires_at', 'secret.spki', 'secret.names', 'certificate.sha256 as current'])
    .where('secret.mac', '=', p.mac),
);

const selectPresenter = statement((database, p: { sha256: string }) =>
  database
    .selectFrom('certificate')
    .leftJoin('acme_order', 'acme_order.certificate', 'certificate.sha256')
    .select(['certificate.template', 'device_id', 'revoked_at', 'acme_order.account as orderedBy'])
    .where('sha256', '=', p.sha256),
);

export function* observeSecret({
  secretMacs,
  now,
}: Pick<ObserveQuery, 'secretMacs' | 'now'>): Operation<StoreObservation['secret']> {
  for (const mac of secretMacs) {
    const row = yield* first(selectSecret, { mac, now });
    if (row === undefined) continue;
    return {
      id: row.id,
      deviceId: row.device_id,
      template: row.template,
      expected: row.expected === null ? null : fromJson(row.expected),
      state: row.state,
      expiresAt: row.expires_at,
      reservedFor: row.spki === null || row.names === null ? null : { spki: row.spki, names: row.names },
      certificate: row.current,
    };
  }
  return null;
}

export function* observePresenter({
  presenterSha256,
}: Pick<ObserveQuery, 'presenterSha256'>): Operation<StoreObservation['presenter']> {
  const row =
    presenterSha256 === null ? undefined : yield* first(selectPresenter, { sha256: presenterSha256 });
  if (row === undefined) return null;
  return {
    template: row.template,
    deviceId: row.device_id,
    revoked: row.revoked_at !== null,
    ...(row.orderedBy === null ? {} : { ordered: true, orderedBy: row.orderedBy }),
  };
}
