import { open, readFile, rm, stat } from 'node:fs/promises';
import { SallyportError } from '#errors';
import { equalBytes } from '#x509';
import { errorCode } from '../files.ts';

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

/** Of the same length before it is read: a device or a pipe never is. */
async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const { size } = await stat(file);
    return size === bytes.length && equalBytes(await readFile(file), bytes);
  } catch {
    return false;
  }
}
