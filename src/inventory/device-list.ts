import { isUtf8 } from 'node:buffer';
import { SallyportError } from '#errors';
import { readCsvRows } from './csv-rows.ts';
import { readDeviceRow, type DeviceRow } from './device-row.ts';
import type { Device } from './device.ts';
import { readJsonRows } from './json-rows.ts';
import { maximumListBytes } from './list-limits.ts';
import type { RowProblem } from './row-problem.ts';

export type DeviceListFormat = 'csv' | 'json';

export interface DeviceList {
  /** The good rows, in the order of the file. */
  readonly devices: Device[];
  /** Of the others, by row. */
  readonly problems: RowProblem[];
}

/**
 * Reads a list of devices. `deviceClasses` are the names that the configuration has.
 *
 * Throws `malformed` for what is no list at all (not UTF-8, no header, not JSON), `too-large` beyond 64 MiB or 100,000
 * devices. What is wrong with single rows comes back as problems, all of them.
 */
export function parseDeviceList(
  bytes: Uint8Array,
  format: DeviceListFormat,
  deviceClasses: readonly string[],
): DeviceList {
  if (bytes.length > maximumListBytes) {
    throw new SallyportError('too-large', 'a device list has at most 64 MiB');
  }
  if (!isUtf8(bytes)) {
    throw new SallyportError('malformed', 'the device list is not UTF-8: save it as "CSV UTF-8" or as JSON');
  }
  const problems: RowProblem[] = [];
  const rows = format === 'csv' ? readCsvRows(bytes, problems) : readJsonRows(bytes, problems);
  const devices = withoutDuplicates(rows, deviceClasses, problems);
  return { devices, problems: problems.toSorted((a, b) => a.row - b.row) };
}

/**
 * The first row with an id, serial number or endorsement key is kept, later ones are problems. Two devices with one serial number would get certificates for the
 * same name wherever a template is built from it; of one endorsement key nobody could say whose TPM it is.
 */
function withoutDuplicates(
  rows: readonly DeviceRow[],
  deviceClasses: readonly string[],
  problems: RowProblem[],
): Device[] {
  const rowOf = {
    id: new Map<string, number>(),
    serial_number: new Map<string, number>(),
    ek_sha256: new Map<string, number>(),
  };
  const devices: Device[] = [];
  const columns = ['id', 'serial_number', 'ek_sha256'] as const;
  for (const deviceRow of rows) {
    const { row } = deviceRow;
    const device = readDeviceRow(deviceRow, deviceClasses, problems);
    if (device === null) continue;
    const unique = {
      id: device.id,
      serial_number: device.serialNumber,
      ek_sha256: device.identifiers['ekSha256'] ?? null,
    };
    const before = problems.length;
    for (const column of columns) {
      const value = unique[column];
      const same = value === null ? undefined : rowOf[column].get(value);
      if (same !== undefined) problems.push({ row, column, message: `is the same as in row ${same}` });
    }
    if (problems.length > before) continue;
    for (const column of columns) {
      const value = unique[column];
      if (value !== null) rowOf[column].set(value, row);
    }
    devices.push(device);
  }
  return devices;
}
