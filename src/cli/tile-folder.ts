import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TileFiles } from '#audit';
import { SallyportError } from '#errors';
import { errorCode } from './files.ts';

/** A tiled log as files: `checkpoint`, and `tile/` with its tiles (C2SP tlog-tiles). Entries hold personal data: for this user alone. */
export class TileFolder implements TileFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(path: string): Promise<Uint8Array | null> {
    try {
      return await readFile(join(this.#folder, path));
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return null;
      throw failure(path, 'read', cause);
    }
  }

  async checkpoint(): Promise<string | null> {
    const bytes = await this.read('checkpoint');
    return bytes === null ? null : Buffer.from(bytes).toString();
  }

  async has(path: string): Promise<boolean> {
    try {
      return (await stat(join(this.#folder, path))).isFile();
    } catch {
      return false;
    }
  }

  /** Whole or not at all. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.#folder, path);
    const beside = `${file}.new`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const handle = await open(beside, 'w', 0o600);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, file);
    } catch (cause) {
      throw failure(path, 'written', cause);
    }
  }
}

function failure(path: string, done: string, cause: unknown): SallyportError {
  return new SallyportError('usage', `${path} cannot be ${done} (${errorCode(cause)})`, { cause });
}
