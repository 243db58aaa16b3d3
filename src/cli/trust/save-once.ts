import { open, rm } from 'node:fs/promises';
import { SallyportError } from '#errors';
import { errorCode } from '../files.ts';
import { holds } from '../replace-file.ts';

/** Nothing here is secret, and whoever pins it must be able to read it. */
const mode = 0o644;

/**
 * Writes a new file; one that holds the same bytes already is left as it is. Throws 'conflict' where it holds anything else: somebody may
 * trust that.
 */
export async function saveOnce(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(file, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      // Whatever the umask took.
      await handle.chmod(mode);
      await handle.sync();
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return requireSame(file, bytes);
    throw new SallyportError('usage', `${file} cannot be written (${errorCode(cause)})`, { cause });
  }
}

async function requireSame(file: string, bytes: Uint8Array): Promise<void> {
  if (await holds(file, bytes)) return;
  throw new SallyportError(
    'conflict',
    `${file} is there already and holds something else; nothing was changed. Name another file with --out, or remove it`,
  );
}
