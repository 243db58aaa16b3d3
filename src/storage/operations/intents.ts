import type { AbandonedIntent } from '#admin';
import type { NewEntry } from '#audit';
import type { Intent, LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { all, first, type Operation, run } from '../operation.ts';
import type { IntentRow } from '../schema.ts';
import { isTrue, statement } from '../statement.ts';
import { freeApproval } from './approvals.ts';
import { append } from './log.ts';

type IntentParameters = Omit<Intent, 'fresh' | 'secret' | 'evidence' | 'limits'> & {
  readonly secretId: string | null;
};

const insert = statement((database, p: IntentParameters) =>
  database.insertInto('intent').values({
    id: p.id,
    issuer: p.issuer,
    serial_number: p.serialNumber,
    tbs_sha256: p.tbsSha256,
    device_id: p.deviceId,
    template: p.template,
    spki: p.spki,
    request_spki: p.requestSpki,
    names: p.names,
    secret_id: p.secretId,
    approval_id: p.approvalId,
    created_at: p.now,
    lease_until: p.leaseUntil,
  }),
);

/** Whether a certificate list could name it, or does. */
export const selectSerialUsed = statement((database, p: { issuer: string; serialNumber: string }) =>
  database.selectNoFrom((eb) =>
    eb
      .or([
        eb.exists(
          eb
            .selectFrom('certificate')
            .select('log_idx')
            .where('serial_number', '=', p.serialNumber)
            .where('issuer', '=', p.issuer),
        ),
        eb.exists(
          eb
            .selectFrom('abandoned_intent')
            .select('id')
            .where('serial_number', '=', p.serialNumber)
            .where('issuer', '=', p.issuer),
        ),
        eb.exists(
          eb
            .selectFrom('lost_certificate')
            .select('template')
            .where('serial_number', '=', p.serialNumber)
            .where('issuer', '=', p.issuer),
        ),
      ])
      .as('used'),
  ),
);

const deleteIntent = statement((database, p: { id: string }) =>
  database.deleteFrom('intent').where('id', '=', p.id).returningAll(),
);

const insertAbandoned = statement((database, p: IntentRow & { readonly now: number }) =>
  database.insertInto('abandoned_intent').values({
    id: p.id,
    issuer: p.issuer,
    serial_number: p.serial_number,
    tbs_sha256: p.tbs_sha256,
    device_id: p.device_id,
    template: p.template,
    spki: p.spki,
    abandoned_at: p.now,
  }),
);

const everyIntent = { now: Number.MAX_SAFE_INTEGER, limit: Number.MAX_SAFE_INTEGER };

const selectForOtherKey = statement((database, p: { deviceId: string; template: string; spki: string }) =>
  database
    .selectFrom('intent')
    .select('id')
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('spki', '<>', p.spki)
    .limit(1),
);

const selectExpired = statement((database, p: { now: number; limit: number }) =>
  database
    .selectFrom('intent')
    .select(['id', 'issuer', 'serial_number as serialNumber', 'device_id as deviceId', 'template'])
    .where('lease_until', '<=', p.now)
    .orderBy('lease_until')
    .orderBy('id')
    .limit(p.limit),
);

export function* assertSerialUnused(serial: { issuer: string; serialNumber: string }): Operation<void> {
  if (isTrue((yield* first(selectSerialUsed, serial))?.used)) {
    throw new SallyportError('conflict', `serial number ${serial.serialNumber} was used before`);
  }
}

/** A second open intent for one secret is a conflict. */
export function* insertIntent(intent: IntentParameters): Operation<void> {
  yield* run(insert, intent);
}

/** The device is about to get a certificate of this template for another key. */
export function* hasIntentForOtherKey(asked: {
  deviceId: string;
  template: string;
  spki: string;
}): Operation<boolean> {
  return (yield* first(selectForOtherKey, asked)) !== undefined;
}

/** Ends the open intent, for what the caller puts in its place. Throws 'conflict' when it is no longer open. */
export function* takeIntent(id: string): Operation<IntentRow> {
  const intent = yield* first(deleteIntent, { id });
  if (intent === undefined) throw new SallyportError('conflict', `intent ${id} is no longer open`);
  return intent;
}

export function* expiredIntents(query: {
  now: number;
  limit: number;
}): Operation<readonly AbandonedIntent[]> {
  return yield* all(selectExpired, query);
}

/** Every open one ends, whatever its lease. `isLost`: its certificate is known to have been delivered, and stands among the lost ones. */
export function* abandonOpenIntents(
  now: number,
  isLost: (serial: { issuer: string; serialNumber: string }) => boolean,
): Operation<readonly AbandonedIntent[]> {
  const abandoned: AbandonedIntent[] = [];
  for (const { id, issuer, serialNumber, deviceId, template } of yield* expiredIntents(everyIntent)) {
    const intent = yield* takeIntent(id);
    if (isLost({ issuer, serialNumber })) continue;
    yield* run(insertAbandoned, { ...intent, now });
    abandoned.push({ id, issuer, serialNumber, deviceId, template });
  }
  return abandoned;
}

/** Its secret stays reserved: the same request may ask again. */
export function* abandonIntent(act: { id: string; now: number; entry: NewEntry }): Operation<LogPosition> {
  const { id, now, entry } = act;
  const intent = yield* takeIntent(id);
  yield* run(insertAbandoned, { ...intent, now });
  if (intent.approval_id !== null) yield* freeApproval(intent.approval_id, id);
  return { index: yield* append(entry) };
}
