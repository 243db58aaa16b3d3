import { readFile } from 'node:fs/promises';

/** Beside the file that holds it, under the name of its log: where a checkpoint is kept that gives way to one of another log. */
export async function keptName(file: string, note: string): Promise<string> {
  const name = `${file}.${nameOf(note)}`;
  for (let at = 1; ; at += 1) {
    const candidate = at === 1 ? name : `${name}.${at}`;
    const there = await readFile(candidate, 'utf8').catch(() => null);
    // What ended half way kept it already.
    if (there === null || there === note) return candidate;
  }
}

/** The log that a note claims to be of: the first line of a checkpoint. */
export function originOf(note: string): string {
  return note.split('\n', 1)[0] ?? '';
}

function nameOf(note: string): string {
  const size = /^\d{1,16}$/.exec(note.split('\n')[1] ?? '')?.[0] ?? '0';
  const origin = originOf(note)
    .replaceAll(/[^A-Za-z0-9.~-]+/g, '_')
    .slice(0, 100);
  return `${origin}.${size}`;
}
