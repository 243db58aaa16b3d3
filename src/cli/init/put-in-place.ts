import { chmod, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SallyportError } from '#errors';
import { syncFolder } from './private-folder.ts';
import { layout } from './plan.ts';

/** Throws 'conflict' where the folder holds an authority, or anything at all. Returns whether it exists. */
export async function demandFree(directory: string): Promise<boolean> {
  const names = await namesIn(directory);
  if (names === null) return false;
  if (names.includes(layout.configuration) || names.includes('data')) {
    throw new SallyportError(
      'conflict',
      `${directory} holds an authority already; nothing was changed. Name another folder with --dir`,
    );
  }
  if (names.length > 0) {
    throw new SallyportError(
      'conflict',
      `${directory} is not empty; name a new or an empty folder with --dir`,
    );
  }
  return true;
}

/**
 * Builds in a folder beside the final one and puts it in place when all is there, by one rename. An empty folder that exists already may
 * be someone's working folder or a mount, and stays itself: then it is filled, the configuration last. A failure leaves nothing behind.
 */
export async function buildInPlace(
  directory: string,
  build: (folder: string) => Promise<void>,
): Promise<void> {
  const exists = await demandFree(directory);
  const madeParent = exists ? undefined : await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  const beside = exists
    ? join(directory, '.init-')
    : join(dirname(directory), `.${basename(directory)}.init-`);
  const folder = await mkdtemp(beside);
  try {
    await build(folder);
    await (exists ? moveInto(directory, folder) : rename(folder, directory));
    await syncFolder(dirname(directory));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (madeParent !== undefined) await removeEmpty(dirname(directory), madeParent);
    throw error;
  }
}

/** The folders that were made on the way, from the innermost; one that someone has put something into meanwhile stays. */
async function removeEmpty(innermost: string, outermost: string): Promise<void> {
  for (let folder = innermost; folder.startsWith(outermost); folder = dirname(folder)) {
    if (
      !(await rmdir(folder).then(
        () => true,
        () => false,
      ))
    ) {
      return;
    }
  }
}

async function moveInto(directory: string, folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== layout.configuration);
  const moved: string[] = [];
  try {
    await chmod(directory, 0o700);
    for (const name of [...names, layout.configuration]) {
      await rename(join(folder, name), join(directory, name));
      moved.push(name);
    }
    await rm(folder, { recursive: true });
    await syncFolder(directory);
  } catch (error) {
    for (const name of moved) await rm(join(directory, name), { recursive: true, force: true });
    throw error;
  }
}

async function namesIn(directory: string): Promise<string[] | null> {
  try {
    return await readdir(directory);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT') return null;
    throw new SallyportError(
      'usage',
      `${directory} cannot hold an authority (${String(code)}); name another folder with --dir`,
      { cause },
    );
  }
}
