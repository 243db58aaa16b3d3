import { columnKey, columnOf, columnRule } from './column.ts';
import type { Device } from './device.ts';
import type { RowProblem } from './row-problem.ts';

/** A device as the file writes it: column names of the file, and text. Empty text is the same as none. */
export interface DeviceRow {
  readonly row: number;
  readonly cells: readonly (readonly [column: string, value: string])[];
}

const maximumValueLength = 255;
/** A row is bad after the first; a file full of bad cells stays a report that fits in memory. */
const maximumProblemsPerRow = 8;

/** The device of one row, or null with at least one problem. */
export function readDeviceRow(
  { row, cells }: DeviceRow,
  deviceClasses: readonly string[],
  problems: RowProblem[],
): Device | null {
  const before = problems.length;
  const refuse = (column: string, message: string) => {
    if (problems.length < before + maximumProblemsPerRow) problems.push({ row, column, message });
  };
  const values = new Map<string, { readonly column: string; readonly value: string }>();
  const identifiers: Record<string, string> = {};
  for (const [name, value] of cells) {
    const column = columnOf(name);
    const problem = column === null ? columnRule : valueProblem(value);
    if (column === null || problem !== null) {
      refuse(name, problem ?? columnRule);
      continue;
    }
    if (value === '') continue;
    const key = columnKey(column);
    if (values.has(key)) refuse(name, `means the same as ${values.get(key)?.column}`);
    values.set(key, { column: name, value });
    if ('identifier' in column) identifiers[key] = value;
  }

  const id = values.get('id');
  if (id === undefined) refuse('id', 'is required');
  else if (!/^[A-Za-z0-9._:-]{1,64}$/.test(id.value)) {
    refuse(id.column, 'must be 1 to 64 letters, digits or . _ : -');
  }
  const deviceClass = values.get('deviceClass');
  if (deviceClass === undefined) refuse('class', 'is required');
  else if (!deviceClasses.includes(deviceClass.value)) {
    refuse(deviceClass.column, `is no device class of the configuration (${deviceClasses.join(', ')})`);
  }
  const state = values.get('state');
  if (state !== undefined && state.value !== 'expected' && state.value !== 'active') {
    refuse(
      state.column,
      'must be expected or active; suspend and retire devices one by one, so that the log says why',
    );
  }
  const endorsementKey = values.get('ekSha256');
  if (endorsementKey !== undefined && !/^[0-9a-f]{64}$/.test(endorsementKey.value)) {
    refuse(endorsementKey.column, 'must be a SHA-256 digest: 64 lower-case hexadecimal digits');
  }
  if (problems.length > before || id === undefined || deviceClass === undefined) return null;
  return {
    id: id.value,
    serialNumber: values.get('serialNumber')?.value ?? null,
    deviceClass: deviceClass.value,
    owner: values.get('owner')?.value ?? null,
    state: state?.value === 'active' ? 'active' : 'expected',
    identifiers,
  };
}

/** Values end up in certificates, in the log and on terminals. */
function valueProblem(value: string): string | null {
  if (value.length > maximumValueLength) return `is longer than ${maximumValueLength} characters`;
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)) return 'has control characters or a line end';
  if (/[\u202A-\u202E\u2066-\u2069]/u.test(value)) return 'has characters that turn the direction of text';
  if (value !== value.trim()) return 'has spaces around it';
  return null;
}
