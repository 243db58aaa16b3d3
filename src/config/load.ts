import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { SallyportError } from '#errors';
import type { Configuration } from './configuration.ts';
import { crossReferenceProblems, type Objection } from './cross-references.ts';
import { issueWords } from './issue-words.ts';
import { configurationError, type KeyPath } from './problem.ts';
import { resolveSettings } from './resolve.ts';
import { refusedKeys } from './schema/refused-keys.ts';
import { settings as settingsSchema, type Settings } from './schema/settings.ts';
import { secretProblem, type Environment, type SecretReference } from './secret.ts';
import { didYouMean } from './suggestion.ts';
import { parseYamlSource } from './yaml-source.ts';

const maximumBytes = 1_048_576;

/**
 * Reads sallyport.yaml. Throws SallyportError `config` that lists every problem as `file:line:column key: message`:
 * those of YAML, else those of the schema, else those between sections.
 *
 * With an environment, secrets are looked at as well: a variable that is not set or a secret file that others can read
 * is a problem with its line. Commands that only look for the admin socket pass none.
 */
export function loadConfiguration(file: string, env?: Environment): Configuration {
  return parseConfiguration(readBounded(file), file, env);
}

/** The same for bytes in hand: `file` is named in problems, and its folder is where relative paths count from. */
export function parseConfiguration(bytes: Uint8Array, file: string, env?: Environment): Configuration {
  if (bytes.length > maximumBytes) {
    throw new SallyportError('config', `${file}: is longer than ${maximumBytes} bytes`);
  }
  const source = parseYamlSource(decode(bytes, file));
  if (source.problems.length > 0) throw configurationError(file, source.problems);
  const fail = (objections: readonly Objection[]) =>
    configurationError(
      file,
      objections.map(({ path, part, message }) => ({ path, message, ...source.positionOf(path, part) })),
    );

  const objections: Objection[] = [];
  const settings = checkShape(source.value, objections);
  if (settings === null) throw fail(objections);
  const absolute = resolve(file);
  objections.push(...crossReferenceProblems(settings, dirname(absolute)));
  const configuration = resolveSettings(settings, absolute);
  if (env !== undefined) objections.push(...secretProblems(configuration, env));
  if (objections.length > 0) throw fail(objections);
  return configuration;
}

/** null when the schema objects; each unknown key becomes a problem of its own. */
function checkShape(value: unknown, objections: Objection[]): Settings | null {
  const result = settingsSchema.safeParse(value, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return issueWords(issue);
      for (const key of issue.keys) {
        objections.push({
          path: [...keyPath(issue.path), key],
          part: 'key',
          message: unknownKey(key, issue.inst),
        });
      }
      return undefined;
    },
  });
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') continue;
    const part = issue.code === 'invalid_key' ? 'key' : 'value';
    objections.push({ path: keyPath(issue.path), part, message: issue.message });
  }
  return null;
}

function unknownKey(key: string, schema: unknown): string {
  if (!(schema instanceof z.ZodObject)) return 'unknown key';
  const reasons = refusedKeys.get(schema)?.reasons ?? {};
  if (Object.hasOwn(reasons, key)) return reasons[key] ?? 'unknown key';
  const known = Object.keys(schema.shape);
  return `unknown key${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`;
}

function keyPath(path: readonly PropertyKey[] | undefined): KeyPath {
  return (path ?? []).map((step) => (typeof step === 'number' ? step : String(step)));
}

/** Each at the name of the file or variable that its reference holds. */
function secretProblems({ issuers, listeners, secrets, log }: Configuration, env: Environment): Objection[] {
  const objections: Objection[] = [];
  const check = (path: KeyPath, reference: SecretReference, minimumLength?: number) => {
    const message = secretProblem(reference, env, minimumLength);
    if (message === null) return;
    objections.push({ path: [...path, 'env' in reference ? 'env' : 'file'], part: 'value', message });
  };
  for (const { name, key, ra } of issuers) {
    check(['issuers', name, 'key', 'passphrase'], key.passphrase);
    if (ra !== null) check(['issuers', name, 'ra', 'key', 'passphrase'], ra.key.passphrase);
  }
  for (const listener of listeners) {
    const passphrase = listener.class === 'enroll' ? (listener.tls?.key.passphrase ?? null) : null;
    if (passphrase !== null) check(['listeners', listener.name, 'tls', 'key', 'passphrase'], passphrase);
  }
  for (const [index, { key }] of secrets.macKeys.entries()) {
    check(['secrets', 'macKeys', index, 'key'], key, minimumMacKeyLength);
  }
  check(['log', 'key', 'passphrase'], log.key.passphrase);
  return objections;
}

/** 128 bits even in hexadecimal. */
const minimumMacKeyLength = 32;

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SallyportError('config', `${file}: is not UTF-8 text`, { cause: error });
  }
}

/** One byte more than allowed, so that too long shows, and never a whole device. */
function readBounded(file: string): Uint8Array {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(maximumBytes + 1);
      let length = 0;
      for (;;) {
        const read = readSync(descriptor, bytes, length, bytes.length - length, null);
        length += read;
        if (read === 0 || length === bytes.length) return bytes.subarray(0, length);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SallyportError(
      'config',
      `${file}: cannot be read (${code}); \`sallyport init\` writes a first one`,
      { cause: error },
    );
  }
}
