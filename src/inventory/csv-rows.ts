import { parse, type CsvError } from 'csv-parse/sync';
import { SallyportError } from '#errors';
import { columnKey, columnOf, columnRule } from './column.ts';
import type { DeviceRow } from './device-row.ts';
import { maximumColumns, maximumDevices } from './list-limits.ts';
import type { RowProblem } from './row-problem.ts';

/** RFC 4180, the first line naming the columns. Rows that cannot be cut into columns become problems. */
export function readCsvRows(bytes: Uint8Array, problems: RowProblem[]): DeviceRow[] {
  const [header, ...records] = cutRecords(bytes, problems);
  if (header === undefined) {
    throw new SallyportError(
      'malformed',
      'the device list is empty: its first line names columns, at least id and class',
    );
  }
  checkHeader(header.cells);
  if (records.length > maximumDevices) throw tooManyDevices();
  const rows: DeviceRow[] = [];
  for (const { row, cells } of records) {
    if (cells.length === header.cells.length) {
      rows.push({ row, cells: header.cells.map((column, index) => [column, cells[index] ?? '']) });
    } else {
      const message = `has ${cells.length} columns, the header has ${header.cells.length}`;
      problems.push({ row, column: null, message });
    }
  }
  return rows;
}

interface CsvRecord {
  /** The line of the file on which it ends. */
  readonly row: number;
  readonly cells: readonly string[];
}

/** A good list has none. Each costs as much as its row is long, and one row can have thousands. */
const maximumQuoteErrors = 1000;

function cutRecords(bytes: Uint8Array, problems: RowProblem[]): CsvRecord[] {
  checkCellCount(bytes);
  const records: CsvRecord[] = [];
  const brokenRows = new Set<number>();
  let quoteErrors = 0;
  let quoteStaysOpen = false;
  const skip = (error: CsvError | undefined): undefined => {
    if (error?.code === 'CSV_QUOTE_NOT_CLOSED') quoteStaysOpen = true;
    else if (error?.code !== 'INVALID_OPENING_QUOTE' && error?.code !== 'CSV_INVALID_CLOSING_QUOTE') {
      // The parser stops here, as if the file had ended.
      const row = (records.at(-1)?.row ?? 0) + 1;
      throw new SallyportError(
        'malformed',
        `row ${row} is longer than 64 KiB: perhaps a quote that is never closed`,
      );
    } else {
      brokenRows.add(Number(error['lines']));
      quoteErrors += 1;
      if (quoteErrors > maximumQuoteErrors) {
        throw new SallyportError('malformed', 'quotes are broken all over the device list');
      }
    }
  };
  const take = (cells: string[], { lines }: { lines: number }): null => {
    records.push({ row: lines, cells });
    return null;
  };
  parse(bytes, {
    bom: true,
    trim: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    relax_column_count: true,
    max_record_size: 65_536,
    to: maximumDevices + 2,
    skip_records_with_error: true,
    on_skip: skip,
    on_record: take,
  });
  const quoteRule = 'has a quote inside a cell: put the whole cell in quotes, and write quotes in it twice';
  for (const row of brokenRows) problems.push({ row, column: null, message: quoteRule });
  if (quoteStaysOpen) {
    const row = Math.max(0, records.at(-1)?.row ?? 0, ...brokenRows) + 1;
    problems.push({
      row,
      column: null,
      message: 'a quote that opens here or below is never closed: nothing after it was read',
    });
  }
  return records;
}

/** Before anything is cut: 64 MiB of commas would be as many cells. */
function checkCellCount(bytes: Uint8Array): void {
  let commas = 0;
  for (const byte of bytes) if (byte === 0x2c) commas += 1;
  if (commas > (maximumDevices + 1) * maximumColumns) throw tooManyDevices();
}

function checkHeader(columns: readonly string[]): void {
  const [only = ''] = columns;
  if (columns.length === 1 && /[;\t]/.test(only)) {
    const separator = only.includes(';') ? 'semicolons' : 'tabs';
    throw new SallyportError(
      'malformed',
      `the device list is separated by ${separator}: save it with commas`,
    );
  }
  if (columns.length > maximumColumns) {
    throw new SallyportError('malformed', `more than ${maximumColumns} columns`);
  }
  const complaints: string[] = [];
  const seen = new Set<string>();
  for (const [index, name] of columns.entries()) {
    const column = columnOf(name);
    const key = column === null ? null : columnKey(column);
    if (key === null) complaints.push(`column ${index + 1}: ${columnRule}`);
    else if (seen.has(key)) complaints.push(`column ${index + 1}: ${name} stands twice`);
    else seen.add(key);
  }
  if (!seen.has('id')) complaints.push('the column id is missing');
  if (!seen.has('deviceClass')) complaints.push('the column class is missing');
  if (complaints.length > 0) {
    throw new SallyportError('malformed', `the header is wrong: ${complaints.join('; ')}`);
  }
}

const tooManyDevices = () =>
  new SallyportError(
    'too-large',
    `a device list has at most ${maximumDevices} devices of ${maximumColumns} columns: split it`,
  );
