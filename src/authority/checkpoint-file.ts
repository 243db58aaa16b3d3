import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { CheckpointFile } from '#audit';

/** The newest checkpoint in a file: written beside it, synced, and renamed into place. */
export function checkpointFile(file: string): CheckpointFile {
  return {
    async read() {
      try {
        return await readFile(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async write(note) {
      const beside = `${file}.new`;
      // Made anew: others may write in an anchor's folder, and a link of this name must not lead to a file of ours.
      await rm(beside, { force: true });
      const handle = await open(beside, 'wx', 0o644);
      try {
        await handle.writeFile(note);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, file);
      await syncDirectory(path.dirname(file));
    },
  };
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
