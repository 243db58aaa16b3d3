import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CheckpointFile } from '#audit';
import { originOf } from '../verify/verify-authority-log.ts';

/**
 * Puts the first checkpoint of the new log in the place of what was published last, which is kept beside it under the name of its log: it may be
 * of more entries than the backup has, and then it is what is left of them.
 */
export async function exchangeCheckpoint(
  file: string,
  published: string | null,
  target: CheckpointFile,
  note: string,
): Promise<{ readonly kept: string | null; readonly undo: () => Promise<void> }> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const kept = published === null ? null : await freeName(`${file}.${nameOf(published)}`);
  if (kept !== null) await rename(file, kept);
  await target.write(note);
  return {
    kept,
    async undo() {
      await rm(file, { force: true });
      if (kept !== null) await rename(kept, file);
    },
  };
}

function nameOf(note: string): string {
  const size = /^\d{1,16}$/.exec(note.split('\n')[1] ?? '')?.[0] ?? '0';
  const origin = originOf(note)
    .replaceAll(/[^A-Za-z0-9.~-]+/g, '_')
    .slice(0, 100);
  return `${origin}.${size}`;
}

async function freeName(name: string): Promise<string> {
  for (let at = 1; ; at += 1) {
    const candidate = at === 1 ? name : `${name}.${at}`;
    if ((await stat(candidate).catch(() => null)) === null) return candidate;
  }
}
