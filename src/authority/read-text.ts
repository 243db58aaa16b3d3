import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SallyportError } from '#errors';

/** Fails as configuration does, naming the file. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** The same before anything else is done: for keys, which are small. */
export function readTextNow(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): SallyportError {
  return new SallyportError('config', `${file} cannot be read`, { cause });
}
