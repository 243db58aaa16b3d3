import { readFile } from 'node:fs/promises';
import { SallyportError } from '#errors';

/** A file that the command line names. Throws 'usage'. */
export async function readNamedFile(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new SallyportError('usage', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
}

/** ENOENT, EACCES, …: what a person can act on. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
