import { sql } from 'kysely';
import type { AdminStore } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import type { Device, DeviceState } from '#inventory';
import { toJson } from '../json-text.ts';
import { first, type Operation, run, together } from '../operation.ts';
import type { DeviceRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { openApproval } from './approvals.ts';
import { append } from './log.ts';

type ImportAct = Parameters<AdminStore['importDevices']>[0];
type Comparison = Awaited<ReturnType<AdminStore['compareDevices']>>;
type Known = Comparison['existing'][number];
type Held = Comparison['conflicts'][number];

interface DeviceParameters {
  readonly id: string;
  readonly serialNumber: string | null;
  readonly deviceClass: string;
  readonly owner: string | null;
  readonly identifiers: DeviceRow['identifiers'];
  readonly endorsementKey: string | null;
  readonly now: number;
}

const insertDevice = statement((database, p: DeviceParameters & Pick<Device, 'state'>) =>
  database.insertInto('device').values({
    id: p.id,
    serial_number: p.serialNumber,
    device_class: p.deviceClass,
    owner: p.owner,
    state: p.state,
    identifiers: p.identifiers,
    ek_sha256: p.endorsementKey,
    ek_disputed: null,
    created_at: p.now,
    updated_at: p.now,
  }),
);

const updateDevice = statement((database, p: DeviceParameters) =>
  database
    .updateTable('device')
    .set({
      serial_number: p.serialNumber,
      device_class: p.deviceClass,
      owner: p.owner,
      identifiers: p.identifiers,
      ek_sha256: p.endorsementKey,
      ek_disputed: null,
      updated_at: p.now,
    })
    .where('id', '=', p.id)
    .returning('state'),
);

const selectState = statement((database, p: { id: string }) =>
  database.selectFrom('device').select('state').where('id', '=', p.id),
);

/** Literally as the index says it, or the index is not used. */
const selectHolderOfSerialNumber = statement((database, p: { serialNumber: string; id: string }) =>
  database
    .selectFrom('device')
    .select('id')
    .where('serial_number', '=', p.serialNumber)
    .where('serial_number', '<>', sql.lit(''))
    .where('id', '<>', p.id),
);

const selectHolderOfEndorsementKey = statement((database, p: { endorsementKey: string; id: string }) =>
  database
    .selectFrom('device')
    .select('id')
    .where('ek_sha256', '=', p.endorsementKey)
    .where('id', '<>', p.id),
);

export function* importDevices(
  act: ImportAct,
): Operation<LogPosition & { created: number; updated: number; approved: number }> {
  const { devices, approve, now, entry } = act;
  const known = new Map<string, DeviceState>();
  for (const some of atOnce(devices)) {
    for (const { id, state } of yield* importSome(some, now)) known.set(id, state);
  }
  const updated = known.size;
  const approvals = (approve?.approvals ?? []).filter(({ deviceId }) => known.get(deviceId) !== 'active');
  for (const some of atOnce(approvals)) yield* together(...some.map(openApproval));
  return {
    index: yield* append(entry),
    created: devices.length - updated,
    updated,
    approved: approvals.length,
  };
}

/** Those that were there already, with their state. All writers wait for an import: its devices do not wait for one another. */
function* importSome(devices: readonly Device[], now: number): Operation<readonly Known[]> {
  const holders = yield* together(...devices.map(holdersOf));
  const values = [
    devices.map(({ id }) => id),
    devices.flatMap(({ serialNumber }) => serialNumber ?? []),
    devices.flatMap((device) => endorsementKeyOf(device) ?? []),
  ];
  const isHeld = holders.some(({ length }) => length > 0);
  if (isHeld || values.some(isRepeating)) return yield* importInOrder(devices, now);
  const states = yield* together(...devices.map((device) => first(updateDevice, rowOf(device, now))));
  const isNew = (_: unknown, at: number) => states[at] === undefined;
  yield* together(...devices.filter(isNew).map((device) => insert(device, now)));
  return devices.flatMap(({ id }, at) => (states[at] === undefined ? [] : { id, state: states[at].state }));
}

function isRepeating(values: readonly string[]): boolean {
  return new Set(values).size < values.length;
}

/** Where one takes what another one of the list gives up, the order of the list counts. */
function* importInOrder(devices: readonly Device[], now: number): Operation<readonly Known[]> {
  const existing: Known[] = [];
  for (const device of devices) {
    const [held] = yield* holdersOf(device);
    if (held !== undefined) {
      throw new SallyportError(
        'conflict',
        `device ${held.heldBy} has the ${held.column} of device ${device.id}`,
      );
    }
    const known = yield* first(updateDevice, rowOf(device, now));
    if (known === undefined) yield* insert(device, now);
    else existing.push({ id: device.id, state: known.state });
  }
  return existing;
}

function rowOf(device: Device, now: number): DeviceParameters {
  const { id, serialNumber, deviceClass, owner, identifiers } = device;
  const endorsementKey = endorsementKeyOf(device);
  return { id, serialNumber, deviceClass, owner, identifiers: toJson(identifiers), endorsementKey, now };
}

function endorsementKeyOf({ identifiers }: Device): string | null {
  return identifiers['ekSha256'] ?? null;
}

function* insert(device: Device, now: number): Operation<void> {
  yield* run(insertDevice, { ...rowOf(device, now), state: device.state });
}

/** So many are asked for at once. */
const chunk = 200;

function* atOnce<Item>(list: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < list.length; at += chunk) yield list.slice(at, at + chunk);
}

export function* compareDevices({ devices }: { devices: readonly Device[] }): Operation<Comparison> {
  const existing: Known[] = [];
  const conflicts: Held[] = [];
  for (const some of atOnce(devices)) {
    const states = yield* together(...some.map(({ id }) => first(selectState, { id })));
    const holders = yield* together(...some.map(holdersOf));
    for (const [at, { id }] of some.entries()) {
      const known = states[at];
      if (known !== undefined) existing.push({ id, state: known.state });
    }
    conflicts.push(...holders.flat());
  }
  return { existing, conflicts };
}

/** Of what no two devices have, what another one has. */
function* holdersOf(device: Device): Operation<readonly Held[]> {
  const { id, serialNumber } = device;
  const endorsementKey = endorsementKeyOf(device);
  const [numbered, endorsed] = yield* together(
    serialNumber === null ? null : first(selectHolderOfSerialNumber, { id, serialNumber }),
    endorsementKey === null ? null : first(selectHolderOfEndorsementKey, { id, endorsementKey }),
  );
  const held: Held[] = [];
  if (numbered && serialNumber !== null) {
    held.push({ id, column: 'serialNumber', value: serialNumber, heldBy: numbered.id });
  }
  if (endorsed && endorsementKey !== null) {
    held.push({ id, column: 'ekSha256', value: endorsementKey, heldBy: endorsed.id });
  }
  return held;
}
