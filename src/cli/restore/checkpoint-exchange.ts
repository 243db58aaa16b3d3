import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkpointFile, keptName } from '#authority';
import { sync } from '../backup/files.ts';
import { readIfThere } from '../verify/configured-key.ts';

/** The first checkpoint of a log that is not in place yet: it counts for nothing until its database does. */
const restoringOf = (file: string) => `${file}.restoring`;

/** Before the database is put in place: whoever ends between the two can be gone on with. */
export async function prepareCheckpoint(file: string, note: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await checkpointFile(restoringOf(file)).write(note);
}

export async function preparedCheckpoint(file: string): Promise<string | null> {
  return readIfThere(restoringOf(file));
}

/**
 * Puts the prepared checkpoint in the place of what was published last, which is kept beside it under the name of its log: it may be of more
 * entries than the backup has, and then it is what is left of them. Ended half way it is done again. Returns the file that keeps it.
 */
export async function exchangeCheckpoint(file: string): Promise<string | null> {
  const published = await readIfThere(file);
  const kept = published === null ? null : await keptName(file, published);
  if (kept !== null) await rename(file, kept);
  await rename(restoringOf(file), file);
  await sync(dirname(file));
  return kept;
}
