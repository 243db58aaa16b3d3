import { SallyportError } from '#errors';

/** Keys and list positions from the top of the file. */
export type KeyPath = readonly (string | number)[];

/** One-based, as editors count; the column in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing wrong with sallyport.yaml. `message` never repeats a value that may be a secret. */
export interface Problem extends Position {
  readonly path: KeyPath;
  readonly message: string;
}

/** A broken file may hold a problem a line: what is listed stays readable. */
const listedProblems = 100;

/** One error for all problems, each on its own line as `file:line:column key: message`. */
export function configurationError(file: string, problems: readonly Problem[]): SallyportError {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted
    .slice(0, listedProblems)
    .map(({ line, column, path, message }) => `${file}:${line}:${column} ${formatPath(path)}: ${message}`);
  if (sorted.length > listedProblems) lines.push(`and ${sorted.length - listedProblems} more`);
  return new SallyportError('config', lines.join('\n'));
}

/** `listeners.enroll.sources[0]`; the whole file is `(top level)`. */
export function formatPath(path: KeyPath): string {
  if (path.length === 0) return '(top level)';
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${/^[A-Za-z0-9_-]{1,64}$/.test(step) ? step : quote(step)}`;
  }
  return text;
}

/** Text of the file inside a message: short, and with nothing that a terminal would obey. */
export function quote(text: string): string {
  const shortened = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return `"${shortened.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')}"`;
}
