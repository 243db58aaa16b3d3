import type { EnrollmentStore, GivenActivation, LogPosition } from '#enrollment';
import { fromJson, toJson } from '../json-text.ts';
import { first, type Operation, run } from '../operation.ts';
import type { ActivationRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

const selectDevice = statement((database, p: { endorsementKey: string }) =>
  database.selectFrom('device').select('id').where('ek_sha256', '=', p.endorsementKey),
);

const insert = statement((database, p: ActivationRow) =>
  database.insertInto('activation').values({
    mac: p.mac,
    device_id: p.device_id,
    template: p.template,
    spki: p.spki,
    examination: p.examination,
    expires_at: p.expires_at,
  }),
);

const select = statement((database, p: { mac: Uint8Array; template: string }) =>
  database.selectFrom('activation').selectAll().where('mac', '=', p.mac).where('template', '=', p.template),
);

const remove = statement((database, p: { mac: Uint8Array }) =>
  database.deleteFrom('activation').where('mac', '=', p.mac),
);

const removeOf = statement((database, p: { deviceId: string }) =>
  database.deleteFrom('activation').where('device_id', '=', p.deviceId),
);

const removeBefore = statement((database, p: { before: number }) =>
  database.deleteFrom('activation').where('expires_at', '<=', p.before),
);

export function* deviceOfEndorsementKey({
  endorsementKey,
}: {
  endorsementKey: string;
}): Operation<string | null> {
  return (yield* first(selectDevice, { endorsementKey }))?.id ?? null;
}

export function* giveActivation(
  act: Parameters<EnrollmentStore['giveActivation']>[0],
): Operation<LogPosition> {
  const { mac, deviceId, template, spki, examination, expiresAt, entry } = act;
  yield* run(insert, {
    mac,
    device_id: deviceId,
    template,
    spki,
    examination: toJson(examination),
    expires_at: expiresAt,
  });
  return { index: yield* append(entry) };
}

/** Whoever takes it away has it: of two that ask at once, one. */
export function* takeActivation({
  macs,
  template,
}: {
  macs: readonly Uint8Array[];
  template: string;
}): Operation<GivenActivation | null> {
  for (const mac of macs) {
    const row = yield* first(select, { mac, template });
    if (row === undefined || (yield* run(remove, { mac })) === 0) continue;
    return {
      deviceId: row.device_id,
      spki: row.spki,
      examination: fromJson(row.examination),
      expiresAt: row.expires_at,
    };
  }
  return null;
}

export function* forgetActivations({ before }: { before: number }): Operation<void> {
  yield* run(removeBefore, { before });
}

export function* forgetActivationsOf(deviceId: string): Operation<void> {
  yield* run(removeOf, { deviceId });
}
