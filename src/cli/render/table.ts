import { printable } from './printable.ts';

export interface Column {
  readonly title: string;
  /** Right for numbers. */
  readonly align?: 'left' | 'right';
  /** May be cut, with an ellipsis, down to this many characters where the table would be too wide. Identifiers are not cut. */
  readonly shrinkTo?: number;
  /** Colour, put on after the width is settled. */
  readonly paint?: (text: string) => string;
}

export const tableWidth = 100;
const gap = '  ';

/** Aligned columns within `tableWidth`; nothing behind the last character of a line. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = fit(columns, naturalWidths(columns, cells));
  const title = line(columns.map(({ title, align }, at) => pad(title, widths[at]!, align)));
  const body = cells.map((row) =>
    line(
      columns.map(({ align, paint }, at) => {
        const text = cut(row[at] ?? '', widths[at]!);
        const padded = pad(text, widths[at]!, align);
        return paint === undefined ? padded : padded.replace(text, () => paint(text));
      }),
    ),
  );
  return [title, ...body].map((text) => `${text}\n`).join('');
}

function naturalWidths(columns: readonly Column[], cells: readonly (readonly string[])[]): number[] {
  return columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => lengthOf(row[at] ?? ''))),
  );
}

/** Takes from the widest column that can give, character by character. */
function fit(columns: readonly Column[], natural: readonly number[]): readonly number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  while (total() > tableWidth) {
    let widest = -1;
    for (const [at, { shrinkTo, title }] of columns.entries()) {
      const floor = shrinkTo === undefined ? Infinity : Math.max(shrinkTo, title.length);
      if (widths[at]! > floor && (widest === -1 || widths[at]! > widths[widest]!)) widest = at;
    }
    if (widest === -1) break;
    widths[widest]! -= 1;
  }
  return widths;
}

function line(parts: readonly string[]): string {
  return parts.join(gap).trimEnd();
}

function pad(text: string, width: number, align: Column['align'] = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return align === 'right' ? space + text : text + space;
}

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** In code points: what people name devices is near enough to one column each. */
function lengthOf(text: string): number {
  return [...text].length;
}
