import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A folder in the making. Everything in it is its owner's alone, and on disk when a call resolves. */
export class PrivateFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(relative: string): string {
    return join(this.#folder, relative);
  }

  async makeFolder(relative: string): Promise<void> {
    await mkdir(this.path(relative), { recursive: true, mode: 0o700 });
  }

  /** Never over another file. */
  async write(relative: string, text: string): Promise<void> {
    await this.makeFolder(dirname(relative));
    const handle = await open(this.path(relative), 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
