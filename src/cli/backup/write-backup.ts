import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CompactRange, formatCheckpoint, type NoteSigner, parseVerifierKey, signNote } from '#audit';
import { checkPublished, type Published } from '#authority';
import { SallyportError } from '#errors';
import { errorCode } from '../files.ts';
import { removeLeftovers } from '../leftovers.ts';
import { digestOf, manifestOf, sync } from './files.ts';
import { format, sealManifest, type SealedManifest } from './manifest.ts';

export interface BackupPorts {
  /** Writes all rows as they are at one moment to a new SQLite file. */
  readonly copyRows: (file: string) => Promise<void>;
  readonly signer: NoteSigner & { readonly verifierKey: string };
  /** The checkpoints outside the database, as they were before the rows were read. */
  readonly published: Published;
  readonly now: number;
  readonly random: (n: number) => Uint8Array;
  readonly program: string;
}

/** A name of its own: one that was killed keeps no other from writing the same backup, and two at once do not meet. */
const partialOf = (file: string, random: BackupPorts['random']) =>
  join(dirname(file), `.${basename(file)}.${Buffer.from(random(8)).toString('hex')}.partial`);

/** With what SQLite keeps beside it. */
const partialName = /^\..+\.[0-9a-f]{16}\.partial(?:-journal|-wal|-shm)?$/;

/** Nobody copies for so long without writing. */
const dayMilliseconds = 86_400_000;

/**
 * A folder: a new name in it, by the time. Anything else: the file itself. Throws 'usage' where the folder is not there, 'conflict' where the
 * file is.
 */
export async function chooseFile(to: string, now: number): Promise<string> {
  const kind = await kindOf(to);
  if (kind === 'folder') {
    const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    return chooseFile(join(to, `sallyport-${time}.db`), now);
  }
  for (const file of [to, manifestOf(to)]) {
    if ((await kindOf(file)) === null) continue;
    throw new SallyportError(
      'conflict',
      `${file} is there already; nothing was changed. Name another with --to`,
    );
  }
  if ((await kindOf(dirname(to))) !== 'folder') {
    throw new SallyportError('usage', `there is no folder ${dirname(to)} to write a backup to`);
  }
  return to;
}

/**
 * The rows, and then the manifest: a file without one is no backup. Nothing is left of one that fails, and what one left that was killed is taken
 * away when it is a day old. Throws 'log' where the log is not the one
 * that was published: what the key signs here, it signs for good.
 */
export async function writeBackup(file: string, ports: BackupPorts): Promise<SealedManifest> {
  await removeLeftovers(dirname(file), partialName, ports.now - dayMilliseconds);
  const partial = partialOf(file, ports.random);
  await createPrivate(partial);
  try {
    await ports.copyRows(partial);
    const manifest = await describe(partial, ports);
    await sync(partial);
    await rename(partial, file);
    await createPrivate(manifestOf(file), `${JSON.stringify(manifest, null, 2)}\n`);
    await sync(dirname(file));
    return manifest;
  } catch (error) {
    for (const end of ['', '-journal', '-wal', '-shm']) await rm(`${partial}${end}`, { force: true });
    throw error;
  }
}

async function describe(
  file: string,
  { signer, published, now, program }: BackupPorts,
): Promise<SealedManifest> {
  const { openSqliteReadOnly, schemaVersion } = await import('#storage');
  // From the copy itself: it is the one moment that everything here speaks of.
  const storage = await openSqliteReadOnly(file);
  try {
    const origin = await storage.origin();
    if (origin !== signer.name) {
      throw new SallyportError('config', `the database holds the log ${origin}, not ${signer.name}`);
    }
    const verifier = parseVerifierKey(signer.verifierKey);
    await checkPublished(published, storage.log, verifier);
    const { size, range } = await storage.log.head();
    const root = CompactRange.restore(size, range).root();
    const manifest = {
      format,
      origin,
      size,
      root: Buffer.from(root).toString('base64'),
      checkpoint: await signNote(formatCheckpoint({ origin, size, root }), signer),
      schemaVersion,
      file: await digestOf(file),
      time: new Date(now).toISOString(),
      program,
    } as const;
    return await sealManifest(manifest, signer);
  } finally {
    await storage.close();
  }
}

/** Never over another file. */
async function createPrivate(file: string, text = ''): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new SallyportError('usage', `${file} cannot be written (${errorCode(cause)})`, { cause });
  }
}

async function kindOf(path: string): Promise<'folder' | 'other' | null> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'other';
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return null;
    throw new SallyportError('usage', `${path} cannot be looked at (${errorCode(cause)})`, { cause });
  }
}
