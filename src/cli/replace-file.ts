import { link, lstat, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SallyportError } from '#errors';
import { equalBytes } from '#x509';
import { errorCode } from './files.ts';
import { syncFolder } from './init/private-folder.ts';

/** Of what is not secret, and an operator writes for the service to read. */
export const readableByAll = 0o644;
export const readableByOwner = 0o600;

export interface Replacing {
  /** false: what is there and holds something else stays, and is a 'conflict'. */
  readonly replace: boolean;
  /** Whatever the umask says. */
  readonly mode: number;
  /** n bytes of a cryptographic generator. */
  readonly random: (n: number) => Uint8Array;
}

/** Whole or not at all, whoever reads it meanwhile and whatever is lost in a crash: written beside it, synced, and put into its place. */
export async function putFile(file: string, bytes: Uint8Array, how: Replacing): Promise<void> {
  const beside = join(dirname(file), `.${basename(file)}.${Buffer.from(how.random(8)).toString('hex')}`);
  try {
    await writeNew(beside, bytes, how.mode);
    await (how.replace ? rename(beside, file) : link(beside, file));
    await syncFolder(dirname(file));
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST' && !how.replace) return await demandReplaceable(file, bytes, how);
    throw new SallyportError('usage', `${file} cannot be written (${errorCode(cause)})`, { cause });
  } finally {
    await rm(beside, { force: true });
  }
}

/** Throws 'conflict' where something else is there and is to stay. */
export async function demandReplaceable(
  file: string,
  bytes: Uint8Array,
  { replace }: Pick<Replacing, 'replace'>,
): Promise<void> {
  if (replace || (await isFree(file)) || (await holds(file, bytes))) return;
  throw new SallyportError(
    'conflict',
    `${file} is there already and holds something else; nothing was changed. Look at it, and say --replace if it is to go`,
  );
}

/** A link that leads nowhere is something too. */
async function isFree(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}

async function writeNew(file: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Of the same length before it is read: a device or a pipe never is. */
export async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const { size } = await stat(file);
    return size === bytes.length && equalBytes(await readFile(file), bytes);
  } catch {
    return false;
  }
}
