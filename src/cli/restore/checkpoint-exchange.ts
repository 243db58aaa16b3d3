import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkpointFile } from '#authority';
import { originOf } from '../verify/verify-authority-log.ts';

/** A place outside the database where a checkpoint is, or should be. */
export interface CheckpointPlace {
  readonly file: string;
  /** null: nothing is there. */
  readonly published: string | null;
  /** null: of another node, which writes there itself. */
  readonly note: string | null;
}

/**
 * Puts the first checkpoint of the new log in the place of what was published last, which is kept beside it under the name of its log: it may be
 * of more entries than the backup has, and then it is what is left of them. Returns the files that keep it.
 */
export async function exchangeCheckpoints(
  places: readonly CheckpointPlace[],
): Promise<{ readonly kept: readonly string[]; readonly undo: () => Promise<void> }> {
  const undone: (() => Promise<void>)[] = [];
  const undo = async () => {
    for (const back of undone.splice(0).reverse()) await back();
  };
  const kept: string[] = [];
  try {
    for (const { file, published, note } of places) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      if (published !== null) {
        const beside = await freeName(`${file}.${nameOf(published)}`);
        await rename(file, beside);
        undone.push(() => rename(beside, file));
        kept.push(beside);
      }
      if (note === null) continue;
      undone.push(() => rm(file, { force: true }));
      await checkpointFile(file).write(note);
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return { kept, undo };
}

/** Of several, the one of the most entries: its size is what it says, and not verified. */
export function largestOf(notes: readonly string[]): string | null {
  return notes.toSorted((one, other) => sizeOf(other) - sizeOf(one))[0] ?? null;
}

function sizeOf(note: string): number {
  return Number(/^\d{1,16}$/.exec(note.split('\n')[1] ?? '')?.[0] ?? 0);
}

function nameOf(note: string): string {
  const origin = originOf(note)
    .replaceAll(/[^A-Za-z0-9.~-]+/g, '_')
    .slice(0, 100);
  return `${origin}.${sizeOf(note)}`;
}

async function freeName(name: string): Promise<string> {
  for (let at = 1; ; at += 1) {
    const candidate = at === 1 ? name : `${name}.${at}`;
    if ((await stat(candidate).catch(() => null)) === null) return candidate;
  }
}
