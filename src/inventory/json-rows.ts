import { SallyportError } from '#errors';
import { columnOf } from './column.ts';
import type { DeviceRow } from './device-row.ts';
import { maximumColumns, maximumDevices } from './list-limits.ts';
import type { RowProblem } from './row-problem.ts';

/**
 * A list of devices, or `{ "devices": [...] }`. Members are named as columns of a CSV are; further identifiers stand
 * beside them or in `identifiers`, as `device list --json` prints them.
 */
export function readJsonRows(bytes: Uint8Array, problems: RowProblem[]): DeviceRow[] {
  checkJsonSize(bytes);
  const devices = devicesOf(parseJson(new TextDecoder().decode(bytes)));
  if (devices.length > maximumDevices) throw tooManyDevices();
  return devices.flatMap((device, index) => readRow(device, index + 1, problems) ?? []);
}

function readRow(device: unknown, row: number, problems: RowProblem[]): DeviceRow | null {
  if (!isObject(device)) {
    problems.push({ row, column: null, message: 'must be an object' });
    return null;
  }
  const refusals: RowProblem[] = [];
  const cells: [string, string][] = [];
  const take = (column: string, value: unknown) => {
    if (typeof value === 'string') cells.push([column, value]);
    else if (value !== null) refusals.push({ row, column, message: 'must be text in quotes' });
  };
  for (const [name, value] of Object.entries(device)) {
    if (name !== 'identifiers') take(name, value);
    else if (!isObject(value)) refusals.push({ row, column: name, message: 'must be an object' });
    else {
      for (const [identifier, text] of Object.entries(value)) {
        const column = columnOf(identifier);
        if (column !== null && 'identifier' in column) take(identifier, text);
        else refusals.push({ row, column: identifier, message: 'cannot be the name of an identifier' });
      }
    }
  }
  if (cells.length > maximumColumns) {
    refusals.push({ row, column: null, message: `has more than ${maximumColumns} members` });
  }
  problems.push(...refusals.slice(0, 8));
  return refusals.length === 0 ? { row, cells } : null;
}

function devicesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isObject(value) && Object.keys(value).length === 1 && Array.isArray(value['devices'])) {
    return value['devices'];
  }
  throw new SallyportError(
    'malformed',
    'a device list in JSON is a list, or an object with the one member "devices"',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll(/[^\x20-\x7E]/g, '?').slice(0, 200) : '';
    throw new SallyportError('malformed', `the device list is not JSON: ${reason}`, { cause: error });
  }
}

/** Before anything is built: 64 MiB of `{},` would be a gigabyte of objects. */
function checkJsonSize(bytes: Uint8Array): void {
  let inString = false;
  let escaped = false;
  let depth = 0;
  let containers = 0;
  let commas = 0;
  for (const byte of bytes) {
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === 0x5c) escaped = true;
      else if (byte === 0x22) inString = false;
      continue;
    }
    if (byte === 0x22) inString = true;
    else if (byte === 0x2c) commas += 1;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      containers += 1;
      if (depth > 4) {
        throw new SallyportError('malformed', 'a device list is not nested deeper than identifiers');
      }
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  // A device is an object, with one more for its identifiers.
  if (containers > 2 * maximumDevices + 2 || commas > maximumDevices * maximumColumns) throw tooManyDevices();
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const tooManyDevices = () =>
  new SallyportError(
    'too-large',
    `a device list has at most ${maximumDevices} devices of ${maximumColumns} members: split it`,
  );
