import {
  checkAgainstPublished,
  checkNote,
  decodeEntry,
  type LogStore,
  type NoteVerifier,
  parseVerifierKey,
  type TreeHead,
  verifierKey,
} from '#audit';
import type { Configuration, Environment } from '#config';
import { type ClockSources, parseFirstEntry, steadyClock } from '#enrollment';
import { SallyportError } from '#errors';
import type { Storage } from '#storage';
import { anchorOf } from './anchor.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { leaveEndedLog } from './ended-log.ts';
import { loadKey } from './in-force.ts';

/** The key that signs checkpoints, under the log's name. */
export async function loadLogSigner(configuration: Configuration, environment: Environment) {
  const { origin, key: keyFile } = configuration.log;
  const key = await loadKey(keyFile, configuration, environment);
  return { name: origin, key, verifierKey: verifierKey(origin, key.spki) };
}

/**
 * Checks the log against what was published of it, and sets the clock no earlier than its newest entry. A node that has no checkpoint file yet may
 * begin with what the others have anchored. Throws 'log' where the log is not the one that was published under this name and key, 'store' where the
 * anchor cannot be read.
 */
export async function openLog(
  configuration: Configuration,
  storage: Storage,
  signer: { readonly verifierKey: string },
  clocks: Omit<ClockSources, 'floor'>,
) {
  const { log } = storage;
  const verifier = parseVerifierKey(signer.verifierKey);
  await demandOwnBeginning(log, signer.verifierKey);
  const { anchored } = await readPublished(configuration);
  await checkAnchored(anchored, log, verifier);
  const own = await leaveEndedLog(log, configuration.log.checkpointFile, anchored, signer.verifierKey);
  const published = await checkOwn({ own, anchored }, log, verifier);
  return { clock: steadyClock({ ...clocks, floor: await newestTime(log) }), published };
}

/** What was published of the log, as it is kept outside the database. */
export interface Published {
  readonly own: string | null;
  readonly anchored: readonly string[];
}

/** Throws 'config' where the checkpoint file cannot be read, 'store' where the anchor cannot. */
export async function readPublished(configuration: Configuration): Promise<Published> {
  const file = configuration.log.checkpointFile;
  return {
    own: await checkpointFile(file)
      .read()
      .catch((cause: unknown) => {
        throw new SallyportError('config', `${file} cannot be read`, { cause });
      }),
    anchored: [...new Set((await anchorOf(configuration)?.read()) ?? [])],
  };
}

/** Throws 'log' where the log is not the one that was published. */
export async function checkPublished(
  published: Published,
  log: CheckedLog,
  verifier: NoteVerifier,
): Promise<void> {
  await checkAnchored(published.anchored, log, verifier);
  await checkOwn(published, log, verifier);
}

type CheckedLog = Pick<LogStore, 'head' | 'hashes'>;

async function checkAnchored(
  anchored: Published['anchored'],
  log: CheckedLog,
  verifier: NoteVerifier,
): Promise<void> {
  await Promise.all(anchored.map((note) => checkNote(note, log, verifier)));
}

/** What this node itself published last; null: only the others are known to have published. */
async function checkOwn(
  { own, anchored }: Published,
  log: CheckedLog,
  verifier: NoteVerifier,
): Promise<TreeHead | null> {
  if (anchored.length > 0 && own === null) return null;
  return checkAgainstPublished(log, { read: async () => own }, verifier);
}

/** A log says in its first entry whose it is: an empty one, and one of another key, is not ours to go on with. */
async function demandOwnBeginning(log: LogStore, verifierKey: string): Promise<void> {
  const [first] = await log.entries(0, 1);
  const { log: key } = parseFirstEntry(first?.bytes);
  if (key === verifierKey) return;
  throw new SallyportError('log', `the log began under another key: ${key}, not ${verifierKey}`);
}

async function newestTime(log: LogStore): Promise<number> {
  const { size } = await log.head();
  const [newest] = size === 0 ? [] : await log.entries(size - 1, size);
  const time = newest === undefined ? 0 : (decodeEntry(newest.bytes) as { time?: unknown }).time;
  return typeof time === 'number' ? time : 0;
}
