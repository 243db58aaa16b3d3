import { constants, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckpointAnchor, firstOrigin } from '#audit';
import type { Configuration } from '#config';
import { isSallyportError, SallyportError } from '#errors';
import { checkpointFile, syncDirectory } from './checkpoint-file.ts';
import { nodeOf } from './database.ts';
import { keptName, originOf } from './kept-checkpoint.ts';

const ending = '.checkpoint';

type Anchored = Pick<Configuration, 'database' | 'log'>;

/** As many as a note may have. */
const maximumBytes = 262_144;

/**
 * The checkpoints that all nodes keep in one folder, each in a file of its own, so that no two write to one; null where none is configured. An
 * empty folder is none: the storage that should be there may not be mounted. So the first one is put there by an operator.
 */
export function anchorOf({ database, log }: Anchored): CheckpointAnchor | null {
  const folder = log.anchorFolder;
  if (folder === null) return null;
  const own = anchorFile(folder, { database });
  return {
    async read() {
      const anchored = await readAnchor(folder, (name) => name.endsWith(ending));
      if (anchored.length > 0) return anchored.map(({ note }) => note);
      throw new SallyportError(
        'store',
        `the anchor ${folder} holds no checkpoint: see that its storage is there; if it is new, copy the file log.checkpointFile to ${own}`,
      );
    },
    write: (note) => checkpointFile(own).write(note),
  };
}

/** A checkpoint as it was found, with its file. Nobody has looked at its signature. */
export interface AnchoredNote {
  readonly file: string;
  readonly note: string;
}

/**
 * For who restores: the checkpoints of all nodes, and what earlier restores kept there; none where no anchor is configured. Throws 'store' where it
 * cannot be read or has no checkpoint: what it should say would not be heeded.
 */
export async function notesInAnchor({ log }: Anchored): Promise<readonly AnchoredNote[]> {
  const folder = log.anchorFolder;
  if (folder === null) return [];
  const kept = new RegExp(`\\${ending}\\..+(?<!\\.(?:new|restoring))$`);
  const found = await readAnchor(folder, (name) => name.endsWith(ending) || kept.test(name));
  if (found.some(({ file }) => file.endsWith(ending))) return found;
  throw new SallyportError(
    'store',
    `the anchor ${folder} holds no checkpoint: see that its storage is there; if what it held is lost, restore without log.anchor in the configuration, and begin the anchor anew`,
  );
}

/** Before the database is put in place: an anchor that cannot be written is found out. It is none of the checkpoints yet. */
export async function prepareAnchor(configuration: Anchored, note: string): Promise<void> {
  const folder = configuration.log.anchorFolder;
  if (folder !== null) await written(folder, () => preparedFile(folder, configuration).write(note));
}

/**
 * The first checkpoint of a log that a restore began, as this node's own. Those of the logs before it, of all nodes, are kept beside under the names
 * of their logs. Ended half way it is done again. Returns the files that keep them.
 */
export async function exchangeAnchor(configuration: Anchored, note: string): Promise<readonly string[]> {
  const folder = configuration.log.anchorFolder;
  if (folder === null) return [];
  const own = anchorFile(folder, configuration);
  const isEnded = ({ note: each }: AnchoredNote) =>
    originOf(each) !== originOf(note) && firstOrigin(originOf(each)) === firstOrigin(originOf(note));
  return written(folder, async () => {
    const there = await readAnchor(folder, (name) => name.endsWith(ending));
    const kept: string[] = [];
    for (const ended of there.filter(isEnded)) {
      const name = await keptName(ended.file, ended.note);
      // The folder is never without one: an empty one is no anchor.
      if (ended.file === own) await checkpointFile(name).write(ended.note);
      else await rename(ended.file, name);
      kept.push(name);
    }
    // One of the new log was written by whoever serves it already.
    if (there.every((each) => each.file !== own || isEnded(each))) await checkpointFile(own).write(note);
    await rm(`${own}.restoring`, { force: true });
    await syncDirectory(folder);
    return kept;
  });
}

function preparedFile(folder: string, configuration: Anchored) {
  return checkpointFile(`${anchorFile(folder, configuration)}.restoring`);
}

async function written<Result>(folder: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (cause) {
    if (isSallyportError(cause)) throw cause;
    throw new SallyportError('store', `the anchor ${folder} cannot be written`, { cause });
  }
}

/** The file of this node; where there is but one, it has no name. */
function anchorFile(folder: string, configuration: Pick<Configuration, 'database'>): string {
  return join(folder, `${nodeOf(configuration) ?? 'authority'}${ending}`);
}

/** What is there, with the files. Throws 'store'. */
async function readAnchor(
  folder: string,
  isNote: (name: string) => boolean,
): Promise<readonly AnchoredNote[]> {
  try {
    const names = (await readdir(folder)).filter(isNote).toSorted();
    return await Promise.all(
      names.map(async (name) => ({
        file: join(folder, name),
        note: await readNote(join(folder, name)),
      })),
    );
  } catch (cause) {
    throw new SallyportError('store', `the anchor ${folder} cannot be read`, { cause });
  }
}

/** Others may write there: a pipe would keep us waiting, a link or a file without end would fill the memory. */
async function readNote(file: string): Promise<string> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > maximumBytes) throw new Error(`${file} is no checkpoint`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(found.size), 0, found.size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
