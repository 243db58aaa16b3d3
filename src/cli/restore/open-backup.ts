import { chmod, copyFile, readFile } from 'node:fs/promises';
import { SallyportError } from '#errors';
import { upgradeCopy } from '#storage';
import { digestOf, manifestOf } from '../backup/files.ts';
import { openManifest, type SealedManifest } from '../backup/manifest.ts';
import { errorCode } from '../files.ts';

export interface OpenedBackup {
  readonly manifest: SealedManifest;
  /** Under which the log of the backup was written. */
  readonly verifierKey: string;
}

/**
 * Copies the rows to `copy`, if they are the ones that the manifest names and the log's key signed, and brings the copy to this program's version.
 * The backup itself is only read. Throws 'log' where it is not what it was.
 */
export async function openBackup(
  file: string,
  copy: string,
  keyOf: (origin: string) => string,
): Promise<OpenedBackup> {
  const { manifest, verifierKey } = await readManifest(file, keyOf);
  try {
    await copyFile(file, copy);
    await chmod(copy, 0o600);
  } catch (cause) {
    throw new SallyportError('usage', `${file} cannot be copied to ${copy} (${errorCode(cause)})`, { cause });
  }
  // Of the copy: it is what is used from here on.
  const { bytes, sha256 } = await digestOf(copy);
  if (bytes !== manifest.file.bytes || sha256 !== manifest.file.sha256) {
    throw new SallyportError(
      'log',
      `${file} is not the file that its manifest names: it was changed, or cut`,
    );
  }
  upgradeCopy(copy);
  return { manifest, verifierKey };
}

/** What lies beside it. Throws 'log' where the log's key did not sign it. */
export async function readManifest(file: string, keyOf: (origin: string) => string): Promise<OpenedBackup> {
  return openManifest(await readText(manifestOf(file)), keyOf);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SallyportError(
      'usage',
      `${file} cannot be read (${errorCode(cause)}): a backup has its manifest beside it`,
      {
        cause,
      },
    );
  }
}
