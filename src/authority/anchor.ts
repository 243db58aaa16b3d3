import { constants, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointAnchor } from '#audit';
import type { Configuration } from '#config';
import { SallyportError } from '#errors';
import { checkpointFile } from './checkpoint-file.ts';
import { nodeOf } from './database.ts';

const ending = '.checkpoint';

/** As many as a note may have. */
const maximumBytes = 262_144;

/**
 * The checkpoints that all nodes keep in one folder, each in a file of its own, so that no two write to one; null where none is configured. An
 * empty folder is none: the storage that should be there may not be mounted. So the first one is put there by an operator.
 */
export function anchorOf({
  database,
  log,
}: Pick<Configuration, 'database' | 'log'>): CheckpointAnchor | null {
  const folder = log.anchorFolder;
  if (folder === null) return null;
  const own = anchorFile(folder, { database });
  return {
    async read() {
      const anchored = await readAnchor(folder);
      if (anchored.length > 0) return anchored.map(({ note }) => note);
      throw new SallyportError(
        'store',
        `the anchor ${folder} holds no checkpoint: see that its storage is there; if it is new, copy the file log.checkpointFile to ${own}`,
      );
    },
    write: (note) => checkpointFile(own).write(note),
  };
}

/** The file of this node; where there is but one, it has no name. */
function anchorFile(folder: string, configuration: Pick<Configuration, 'database'>): string {
  return join(folder, `${nodeOf(configuration) ?? 'authority'}${ending}`);
}

/** What is there, with the files. Throws 'store'. */
async function readAnchor(
  folder: string,
): Promise<readonly { readonly file: string; readonly note: string }[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(ending));
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
