import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { SallyportError, isSallyportError } from '#errors';

/** Where a secret is: never the secret itself. */
export type SecretReference = { readonly file: string } | { readonly env: string };

/** `process.env`, as an argument. */
export type Environment = Readonly<Record<string, string | undefined>>;

const maximumSecretBytes = 4096;

/**
 * The secret, without the line end that editors leave. `baseDir` is where a relative path counts from. A file that
 * group or others can read is refused: then it is no secret any more.
 */
export function readSecret(reference: SecretReference, baseDir: string, env: Environment): string {
  const secret =
    'env' in reference ? fromEnvironment(reference.env, env) : fromFile(resolve(baseDir, reference.file));
  const text = secret.replace(/\r?\n$/, '');
  if (text === '') throw new SallyportError('config', `${nameOf(reference)} is empty: put the secret in`);
  if (/\p{Cc}/u.test(text)) {
    throw new SallyportError(
      'config',
      `${nameOf(reference)} must be one line of text, without control characters`,
    );
  }
  return text;
}

/**
 * What can be said against a secret before it is needed, or null. A file that is not there yet is no problem: `init`
 * writes it.
 */
export function secretProblem(
  reference: SecretReference,
  env: Environment,
  minimumLength = 1,
): string | null {
  try {
    const { length } = readSecret(reference, '/', env);
    return length < minimumLength ? `${nameOf(reference)} has fewer than ${minimumLength} characters` : null;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return isMissing(error.cause) ? null : error.message;
  }
}

function fromEnvironment(name: string, env: Environment): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value === undefined) throw new SallyportError('config', `environment variable ${name} is not set`);
  return value;
}

function fromFile(file: string): string {
  let descriptor: number;
  try {
    // O_NONBLOCK: a named pipe without writer would hang the start.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new SallyportError('config', `${file} cannot be read: ${codeOf(error)}`, { cause: error });
  }
  try {
    // Judged on what was opened: the name could point elsewhere by now.
    const { mode, size } = fstatSync(descriptor);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) {
      throw new SallyportError('config', `${file} is not a plain file`);
    }
    if ((mode & 0o077) !== 0) {
      throw new SallyportError(
        'config',
        `${file} can be read by others than its owner: chmod 600, and change the secret`,
      );
    }
    if (size > maximumSecretBytes) {
      throw new SallyportError('config', `${file} is longer than ${maximumSecretBytes} bytes`);
    }
    const bytes = Buffer.alloc(maximumSecretBytes);
    return decode(bytes.subarray(0, readSync(descriptor, bytes, 0, maximumSecretBytes, 0)), file);
  } finally {
    closeSync(descriptor);
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SallyportError('config', `${file} is not UTF-8 text`);
  }
}

const nameOf = (reference: SecretReference) =>
  'env' in reference ? `environment variable ${reference.env}` : reference.file;

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

const isMissing = (error: unknown) => codeOf(error) === 'ENOENT';
