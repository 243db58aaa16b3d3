import type { EndorsedDevice, EnrollmentStore, GivenActivation, LogPosition } from '#enrollment';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import type { ActivationRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

const selectDevice = statement((database, p: { endorsementKey: string }) =>
  database.selectFrom('device').select('id').where('ek_sha256', '=', p.endorsementKey),
);

const countDisputing = statement((database, p: { endorsementKey: string }) =>
  database
    .selectFrom('device')
    .select((eb) => eb.fn.countAll<number>().as('devices'))
    .where('ek_disputed', '=', p.endorsementKey),
);

const insert = statement((database, p: ActivationRow) =>
  database.insertInto('activation').values({
    mac: p.mac,
    device_id: p.device_id,
    template: p.template,
    spki: p.spki,
    examination: p.examination,
    expires_at: p.expires_at,
    mac_key_id: p.mac_key_id,
    source: p.source,
    message: p.message,
  }),
);

const selectOf = statement((database, p: { deviceId: string }) =>
  database
    .selectFrom('activation')
    .select(['mac', 'source', 'expires_at'])
    .where('device_id', '=', p.deviceId),
);

const selectKeys = statement((database, p: { template: string; now: number }) =>
  database
    .selectFrom('activation')
    .select('mac_key_id')
    .distinct()
    .where('template', '=', p.template)
    .where('expires_at', '>', p.now),
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

/** Of one device: a client asks for one at a time, and one that hears nothing begins anew. */
const mostOfDevice = 64;

const removeBefore = statement((database, p: { before: number }) =>
  database.deleteFrom('activation').where('expires_at', '<=', p.before),
);

type Waiting = Pick<ActivationRow, 'mac' | 'source' | 'expires_at'>;

export function* deviceOfEndorsementKey({
  endorsementKey,
}: {
  endorsementKey: string;
}): Operation<EndorsedDevice> {
  const found = yield* first(selectDevice, { endorsementKey });
  if (found !== undefined) return { deviceId: found.id };
  return { deviceId: null, disputing: (yield* first(countDisputing, { endorsementKey }))?.devices ?? 0 };
}

export function* giveActivation(
  act: Parameters<EnrollmentStore['giveActivation']>[0],
): Operation<LogPosition> {
  const { mac, macKeyId, deviceId, template, spki, examination, expiresAt, source, message, entry } = act;
  yield* run(insert, {
    mac,
    device_id: deviceId,
    template,
    spki,
    examination: toJson(examination),
    expires_at: expiresAt,
    mac_key_id: macKeyId,
    source,
    message,
  });
  const waiting = yield* all(selectOf, { deviceId });
  for (const surplus of surplusOf(waiting)) yield* run(remove, { mac: surplus });
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
      message: row.message,
    };
  }
  return null;
}

export function* activationKeys(query: { template: string; now: number }): Operation<readonly string[]> {
  return (yield* all(selectKeys, query)).flatMap(({ mac_key_id }) => mac_key_id ?? []);
}

export function* forgetActivations({ before }: { before: number }): Operation<void> {
  yield* run(removeBefore, { before });
}

export function* forgetActivationsOf(deviceId: string): Operation<void> {
  yield* run(removeOf, { deviceId });
}

/**
 * Anybody who has the certificate of an endorsement key, which is public, can ask in the device's place. Of the source that asked most the oldest goes: whoever
 * asks again and again from one place takes nothing away from who asks from another one.
 */
function surplusOf(waiting: readonly Waiting[]): readonly Uint8Array[] {
  const left = [...waiting];
  const surplus: Uint8Array[] = [];
  while (left.length > mostOfDevice) {
    const bySource = [...Map.groupBy(left, ({ source }) => source).values()];
    const most = Math.max(...bySource.map(({ length }) => length));
    const oldest = bySource
      .filter(({ length }) => length === most)
      .flat()
      .reduce((found, each) => (each.expires_at < found.expires_at ? each : found));
    left.splice(left.indexOf(oldest), 1);
    surplus.push(oldest.mac);
  }
  return surplus;
}
