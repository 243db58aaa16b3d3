import type { AttestationKeyInfo } from '#admin';
import type { AttestingKeyObservation } from '#enrollment';
import { SallyportError } from '#errors';
import { all, first, type Operation, run, together } from '../operation.ts';
import type { AttestationKeyDeviceRow } from '../schema.ts';
import { statement } from '../statement.ts';

interface Asked {
  readonly spki: string;
  readonly deviceId: string;
}

/** No limit is higher: a key of a factory may be on all devices of a fleet. */
const countedDevices = 10_000;

const countOthers = statement((database, p: Asked & { readonly most: number }) =>
  database
    .selectFrom((eb) =>
      eb
        .selectFrom('attestation_key_device')
        .select('device_id')
        .where('spki', '=', p.spki)
        .where('device_id', '<>', p.deviceId)
        .limit(p.most)
        .as('other'),
    )
    .select((eb) => eb.fn.countAll<number>().as('devices')),
);

const selectOwn = statement((database, p: Asked) =>
  database
    .selectFrom('attestation_key_device')
    .select('format')
    .where('spki', '=', p.spki)
    .where('device_id', '=', p.deviceId),
);

const insert = statement((database, p: AttestationKeyDeviceRow) =>
  database.insertInto('attestation_key_device').values({
    spki: p.spki,
    device_id: p.device_id,
    format: p.format,
    certificate: p.certificate,
  }),
);

const rename = statement((database, p: { id: string; as: string }) =>
  database.updateTable('attestation_key_device').set({ device_id: p.as }).where('device_id', '=', p.id),
);

const selectMostShared = statement((database, p: { limit: number }) =>
  database
    .selectFrom('attestation_key_device')
    .select((eb) => ['spki', eb.fn.min('format').as('format'), eb.fn.countAll<number>().as('devices')])
    .groupBy('spki')
    .orderBy('devices', 'desc')
    .orderBy('spki')
    .limit(p.limit),
);

const selectDevices = statement((database, p: { spki: string; limit: number }) =>
  database
    .selectFrom('attestation_key_device')
    .select('device_id')
    .where('spki', '=', p.spki)
    .orderBy('device_id')
    .limit(p.limit),
);

export function* observeAttestingKey(asked: Asked): Operation<AttestingKeyObservation> {
  const [others, own] = yield* together(
    first(countOthers, { ...asked, most: countedDevices }),
    first(selectOwn, asked),
  );
  return { spki: asked.spki, otherDevices: others?.devices ?? 0, known: own !== undefined };
}

/** Throws 'conflict' where other devices got certificates by it that were not observed. */
export function* rememberAttestingKey(
  deviceId: string,
  format: string,
  { spki, otherDevices, known }: AttestingKeyObservation,
  certificate: string,
): Operation<void> {
  const now = yield* observeAttestingKey({ spki, deviceId });
  if (now.known) return;
  if (now.otherDevices > otherDevices || known) {
    throw new SallyportError(
      'conflict',
      `another device has got a certificate by attestation key ${spki} meanwhile`,
    );
  }
  yield* run(insert, { spki, device_id: deviceId, format, certificate });
}

/** Whoever has been erased is a device still. */
export function* renameInAttestationKeys(renaming: { id: string; as: string }): Operation<void> {
  yield* run(rename, renaming);
}

/** Those on the most devices first. */
export function* attestationKeys({
  limit,
  devices: most,
}: {
  readonly limit: number;
  readonly devices: number;
}): Operation<readonly AttestationKeyInfo[]> {
  const keys: AttestationKeyInfo[] = [];
  for (const { spki, format, devices } of yield* all(selectMostShared, { limit })) {
    const ids = (yield* all(selectDevices, { spki, limit: most })).map(({ device_id }) => device_id);
    keys.push({ spki, format, devices, deviceIds: ids });
  }
  return keys;
}
