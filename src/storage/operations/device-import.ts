import { sql } from 'kysely';
import type { AdminStore } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import type { Device } from '#inventory';
import { toJson } from '../json-text.ts';
import { first, type Operation, run } from '../operation.ts';
import type { DeviceRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { openApproval } from './approvals.ts';
import { append } from './log.ts';

type ImportAct = Parameters<AdminStore['importDevices']>[0];
type Comparison = Awaited<ReturnType<AdminStore['compareDevices']>>;

interface DeviceParameters {
  readonly id: string;
  readonly serialNumber: string | null;
  readonly deviceClass: string;
  readonly owner: string | null;
  readonly identifiers: DeviceRow['identifiers'];
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
      updated_at: p.now,
    })
    .where('id', '=', p.id)
    .returning('state'),
);

const selectState = statement((database, p: { id: string }) =>
  database.selectFrom('device').select('state').where('id', '=', p.id),
);

/** Literally as the index says it, or the index is not used. */
const selectHolder = statement((database, p: { serialNumber: string; id: string }) =>
  database
    .selectFrom('device')
    .select('id')
    .where('serial_number', '=', p.serialNumber)
    .where('serial_number', '<>', sql.lit(''))
    .where('id', '<>', p.id),
);

export function* importDevices(
  act: ImportAct,
): Operation<LogPosition & { created: number; updated: number; approved: number }> {
  const { devices, approve, now, entry } = act;
  let updated = 0;
  const active = new Set<string>();
  for (const device of devices) {
    const heldBy = yield* holderOfSerialNumber(device);
    if (heldBy !== null) {
      throw new SallyportError('conflict', `device ${heldBy} has the serial number of device ${device.id}`);
    }
    const { id, serialNumber, deviceClass, owner, state } = device;
    const identifiers = toJson(device.identifiers);
    const row = { id, serialNumber, deviceClass, owner, identifiers, now };
    const known = yield* first(updateDevice, row);
    if (known === undefined) yield* run(insertDevice, { ...row, state });
    else updated += 1;
    if (known?.state === 'active') active.add(id);
  }
  const approvals = (approve?.approvals ?? []).filter(({ deviceId }) => !active.has(deviceId));
  for (const approval of approvals) yield* openApproval(approval);
  return {
    index: yield* append(entry),
    created: devices.length - updated,
    updated,
    approved: approvals.length,
  };
}

export function* compareDevices({ devices }: { devices: readonly Device[] }): Operation<Comparison> {
  const existing: Comparison['existing'][number][] = [];
  const serialNumberConflicts: Comparison['serialNumberConflicts'][number][] = [];
  for (const device of devices) {
    const { id, serialNumber } = device;
    const known = yield* first(selectState, { id });
    if (known !== undefined) existing.push({ id, state: known.state });
    const heldBy = yield* holderOfSerialNumber(device);
    if (heldBy !== null && serialNumber !== null) serialNumberConflicts.push({ id, serialNumber, heldBy });
  }
  return { existing, serialNumberConflicts };
}

function* holderOfSerialNumber({ id, serialNumber }: Device): Operation<string | null> {
  if (serialNumber === null) return null;
  return (yield* first(selectHolder, { id, serialNumber }))?.id ?? null;
}
