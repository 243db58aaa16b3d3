import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeLeftovers } from '../leftovers.ts';

/** Nobody looks at a backup for so long. */
const dayMilliseconds = 86_400_000;

/**
 * Beside the database, so that what is finished can be put in place by its name alone. What an earlier run was killed in is taken away: a restore's
 * at once, since only one runs, and a check's when it is old.
 */
export async function inWorkFolder<Result>(
  data: string,
  purpose: 'restore' | 'check',
  now: number,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  await removeLeftovers(data, /^\.check-.{6}$/, now - dayMilliseconds);
  if (purpose === 'restore') await removeLeftovers(data, /^\.restore-.{6}$/, Infinity);
  const folder = await mkdtemp(join(data, `.${purpose}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
