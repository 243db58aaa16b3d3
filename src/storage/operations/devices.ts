import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { AdminStore, StoredDevice } from '#admin';
import type { DeviceAsSeen } from '#enrollment';
import { SallyportError } from '#errors';
import type { DeviceState } from '#inventory';
import { fromJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import type { DeviceRow } from '../schema.ts';
import { statement } from '../statement.ts';

const selectDevice = statement((database, p: { id: string }) =>
  database.selectFrom('device').selectAll().where('id', '=', p.id),
);

/** Literally as the index says it, or the index is not used. */
const selectBySerialNumber = statement((database, p: { serialNumber: string }) =>
  database
    .selectFrom('device')
    .selectAll()
    .where('serial_number', '=', p.serialNumber)
    .where('serial_number', '<>', sql.lit('')),
);

const selectPage = statement(
  (database, p: { state: DeviceState | null; deviceClass: string | null; after: string; limit: number }) =>
    database
      .selectFrom('device')
      .selectAll()
      .where('id', '>', p.after)
      .where((eb) => eb('state', '=', eb.fn.coalesce(eb.val(p.state), eb.ref('state'))))
      .where((eb) => eb('device_class', '=', eb.fn.coalesce(eb.val(p.deviceClass), eb.ref('device_class'))))
      .orderBy('id')
      .limit(p.limit),
);

const activate = statement((database, p: { id: string; now: number }) =>
  database
    .updateTable('device')
    .set({ state: 'active', updated_at: p.now })
    .where('id', '=', p.id)
    .where('state', '=', 'expected'),
);

export function* device({ id }: { id: string }): Operation<StoredDevice | null> {
  const row = yield* first(selectDevice, { id });
  return row === undefined ? null : storedDevice(row);
}

export function* deviceBySerialNumber({
  serialNumber,
}: {
  serialNumber: string;
}): Operation<StoredDevice | null> {
  const row = yield* first(selectBySerialNumber, { serialNumber });
  return row === undefined ? null : storedDevice(row);
}

export function* devices(filter: Parameters<AdminStore['devices']>[0]): Operation<readonly StoredDevice[]> {
  const { state = null, deviceClass = null, after = '', limit } = filter;
  return (yield* all(selectPage, { state, deviceClass, after, limit })).map(storedDevice);
}

export function* activateExpected(id: string, now: number): Operation<void> {
  yield* run(activate, { id, now });
}

/** Throws 'not-found', and 'conflict' where the device is retired: then it gets neither secret nor approval. */
export function* assertNotRetired(id: string): Operation<void> {
  const row = yield* first(selectDevice, { id });
  if (row === undefined) throw unknownDevice(id);
  if (row.state === 'retired') throw new SallyportError('conflict', `device ${id} is retired`);
}

const selectAdmission = statement((database, p: { id: string }) =>
  database
    .selectFrom('device')
    .select(['state', 'serial_number', 'device_class', 'identifiers'])
    .where('id', '=', p.id),
);

/** Throws 'not-found', and 'conflict' where the device was suspended, retired or changed since it was seen so. */
export function* assertAdmissible(id: string, seen: DeviceAsSeen): Operation<void> {
  const row = yield* first(selectAdmission, { id });
  if (row === undefined) throw unknownDevice(id);
  if (row.state !== 'expected' && row.state !== 'active') {
    throw new SallyportError('conflict', `device ${id} is ${row.state} now`);
  }
  const same =
    row.serial_number === seen.serialNumber &&
    row.device_class === seen.deviceClass &&
    isDeepStrictEqual(fromJson(row.identifiers), seen.identifiers);
  if (!same) throw new SallyportError('conflict', `device ${id} is another in the inventory now`);
}

export function unknownDevice(id: string): SallyportError {
  return new SallyportError('not-found', `no device has the id ${id}`);
}

function storedDevice(row: DeviceRow): StoredDevice {
  return {
    id: row.id,
    serialNumber: row.serial_number,
    deviceClass: row.device_class,
    owner: row.owner,
    state: row.state,
    identifiers: fromJson(row.identifiers),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
