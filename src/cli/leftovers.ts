import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes what processes that were killed left in a folder, and that nobody has written to since `before`. */
export async function removeLeftovers(folder: string, name: RegExp, before: number): Promise<void> {
  for (const found of await readdir(folder)) {
    if (!name.test(found)) continue;
    const path = join(folder, found);
    // Gone meanwhile: somebody else did it.
    const mtimeMs = (await stat(path).catch(() => null))?.mtimeMs ?? Infinity;
    if (mtimeMs < before) await rm(path, { recursive: true, force: true });
  }
}
