import type { StoreObservation } from '#enrollment';
import { all, first, type Operation } from '../operation.ts';
import { statement } from '../statement.ts';

/*
 * Of a device's certificates of one template, those that are current: neither revoked nor expired. They have an index of their own, so that
 * what a device had over the years costs nothing.
 */

interface Asked {
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly now: number;
}

const selectForOtherKey = statement((database, p: Asked) =>
  database
    .selectFrom('certificate')
    .select('log_idx')
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('revoked_at', 'is', null)
    .where('not_after', '>=', p.now)
    .where('spki', '<>', p.spki)
    .limit(1),
);

const selectIssued = statement((database, p: Asked & { readonly predecessor: string | null }) =>
  database
    .selectFrom('certificate')
    .select(['log_idx', 'sha256', 'names'])
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('revoked_at', 'is', null)
    .where('not_after', '>=', p.now)
    .where('spki', '=', p.spki)
    .where('predecessor', 'is not distinct from', p.predecessor),
);

/** The device has a current certificate of this template for another key. */
export function* hasCurrentForOtherKey(asked: Asked): Operation<boolean> {
  return (yield* first(selectForOtherKey, asked)) !== undefined;
}

/**
 * The newest current certificate of this device, template and key that renews the predecessor; a first one where that is null. Sorted here and
 * not in the query: mostly there is none.
 */
export function* newestIssued(
  asked: Asked & { readonly predecessor: string | null },
): Operation<StoreObservation['issued']> {
  const [row] = (yield* all(selectIssued, asked)).toSorted((left, right) => right.log_idx - left.log_idx);
  return row === undefined ? null : { sha256: row.sha256, names: row.names };
}
