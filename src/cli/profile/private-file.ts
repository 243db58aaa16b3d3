import { type FileHandle, open, rm } from 'node:fs/promises';
import { SallyportError } from '#errors';
import { errorCode } from '../files.ts';

/** A new file that its owner alone reads, there before what it is for is made. */
export class PrivateFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Throws 'conflict' where anything is there already, 'usage' where nothing can be. */
  static async create(path: string): Promise<PrivateFile> {
    try {
      return new PrivateFile(path, await open(path, 'wx', 0o600));
    } catch (cause) {
      if (errorCode(cause) === 'EEXIST') {
        throw new SallyportError(
          'conflict',
          `${path} is there already, and what is there may be in use; nothing was changed. Name another file with --out`,
          { cause },
        );
      }
      throw new SallyportError('usage', `${path} cannot be written (${errorCode(cause)})`, { cause });
    }
  }

  /** What `make` gives, or no file. */
  async fill(make: () => Promise<string>): Promise<void> {
    try {
      await this.#handle.writeFile(await make());
      await this.#handle.sync();
    } catch (error) {
      await rm(this.#path, { force: true });
      throw error;
    } finally {
      await this.#handle.close();
    }
  }
}
