import { printable } from './printable.ts';

/** `name  value` lines, aligned; what is null is left out. A value of several lines hangs under its first. */
export function formatFields(fields: readonly (readonly [name: string, value: string | null])[]): string {
  const given = fields.filter(
    (field): field is readonly [string, string] => field[1] !== null && field[1] !== '',
  );
  const width = Math.max(0, ...given.map(([name]) => name.length));
  const indent = `\n${' '.repeat(width + 2)}`;
  return given.map(([name, value]) => `${name.padEnd(width)}  ${value.split('\n').join(indent)}\n`).join('');
}

/** Several values under one another. */
export function listed(values: readonly string[]): string | null {
  return values.length === 0 ? null : values.map(printable).join('\n');
}

/** A value that came from outside, or null. */
export function shown(value: string | null): string | null {
  return value === null ? null : printable(value);
}

export function orDash(value: string | null): string {
  return value ?? '-';
}
