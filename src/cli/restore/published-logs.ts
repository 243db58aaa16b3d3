import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { firstOrigin, openCheckpoint, parseVerifierKey, type TreeHead } from '#audit';
import { originOf } from '#authority';
import { isSallyportError, SallyportError } from '#errors';
import { errorCode } from '../files.ts';
import { readIfThere } from '../verify/configured-key.ts';

/** A checkpoint as it was found outside the database. Nobody has looked at its signature. */
export interface OutsideNote {
  readonly file: string;
  readonly note: string;
}

/** What a log is known to have been, by its own key. */
export interface PublishedLog extends TreeHead {
  readonly origin: string;
  readonly note: string;
}

/**
 * The checkpoint file, and what earlier restores kept beside it under the names of their logs: each may be all that is left of what came after a
 * backup.
 */
export async function outsideNotes(checkpointFile: string): Promise<readonly OutsideNote[]> {
  const folder = dirname(checkpointFile);
  const kept = (await namesIn(folder))
    .filter((name) => name.startsWith(`${basename(checkpointFile)}.`) && !/\.(?:new|restoring)$/.test(name))
    .toSorted();
  const found: OutsideNote[] = [];
  for (const file of [checkpointFile, ...kept.map((name) => join(folder, name))]) {
    const note = await readIfThere(file);
    if (note !== null) found.push({ file, note });
  }
  return found;
}

/**
 * What the notes say of logs of the authority, in the order in which they were found. `keysOf` gives the verifier keys that may have signed for a
 * log; none for one that is not asked about. Throws 'log' for a note of such a log that none of them signed.
 */
export function publishedHeads(
  notes: readonly OutsideNote[],
  origin: string,
  keysOf: (origin: string) => readonly string[],
): readonly PublishedLog[] {
  return notes.flatMap(({ file, note }) => {
    const of = originOf(note);
    const keys = firstOrigin(of) === firstOrigin(origin) ? keysOf(of) : [];
    return keys.length === 0 ? [] : [{ ...openedBy(keys, note, file), origin: of, note }];
  });
}

/** Of each log the newest. */
export function newestOf(heads: readonly PublishedLog[]): ReadonlyMap<string, PublishedLog> {
  const newest = new Map<string, PublishedLog>();
  for (const log of heads) {
    if (log.size >= (newest.get(log.origin)?.size ?? 0)) newest.set(log.origin, log);
  }
  return newest;
}

function openedBy(keys: readonly string[], note: string, file: string): TreeHead {
  let refusal: SallyportError | undefined;
  for (const key of keys) {
    try {
      const { size, root } = openCheckpoint(note, parseVerifierKey(key));
      return { size, root };
    } catch (error) {
      if (!isSallyportError(error)) throw error;
      refusal = error;
    }
  }
  throw new SallyportError('log', `the checkpoint in ${file} is refused: ${refusal?.message}`, {
    cause: refusal,
  });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw new SallyportError('config', `${folder} cannot be looked at (${errorCode(cause)})`, { cause });
  }
}
