import { readFile } from 'node:fs/promises';
import type { Configuration } from '#config';
import { SallyportError } from '#errors';
import { errorCode } from '../files.ts';
import type { Session } from '../session.ts';

/** The public half of the key that signs checkpoints here. */
export async function configuredKey(
  { terminal }: Session,
  { log, directory }: Configuration,
): Promise<string> {
  const { readSecret } = await import('#config');
  const { loadSoftwareKey } = await import('#keys');
  const { verifierKey } = await import('#audit');
  const pem = await readIfThere(log.key.file);
  if (pem === null) {
    throw new SallyportError(
      'config',
      `${log.key.file} is not there; give the log's public key with --log-key`,
    );
  }
  const { spki } = await loadSoftwareKey(
    pem,
    readSecret(log.key.passphrase, directory, terminal.environment),
  );
  return verifierKey(log.origin, spki);
}

export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return null;
    throw new SallyportError('config', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
}
