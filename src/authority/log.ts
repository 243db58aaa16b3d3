import { checkAgainstPublished, decodeEntry, type LogStore, parseVerifierKey, verifierKey } from '#audit';
import type { Configuration, Environment } from '#config';
import { type ClockSources, steadyClock } from '#enrollment';
import type { Storage } from '#storage';
import { checkpointFile } from './checkpoint-file.ts';
import { loadKey } from './in-force.ts';

/** The key that signs checkpoints, under the log's name. */
export async function loadLogSigner(configuration: Configuration, environment: Environment) {
  const { origin, key: keyFile } = configuration.log;
  const key = await loadKey(keyFile, configuration, environment);
  return { name: origin, key, verifierKey: verifierKey(origin, key.spki) };
}

/** Checks the log against what was published of it, and sets the clock no earlier than its newest entry. */
export async function openLog(
  configuration: Configuration,
  storage: Storage,
  signer: { readonly verifierKey: string },
  clocks: Omit<ClockSources, 'floor'>,
) {
  const published = await checkAgainstPublished(
    storage.log,
    checkpointFile(configuration.log.checkpointFile),
    parseVerifierKey(signer.verifierKey),
  );
  return { clock: steadyClock({ ...clocks, floor: await newestTime(storage.log) }), published };
}

async function newestTime(log: LogStore): Promise<number> {
  const { size } = await log.head();
  const [newest] = size === 0 ? [] : await log.entries(size - 1, size);
  const time = newest === undefined ? 0 : (decodeEntry(newest.bytes) as { time?: unknown }).time;
  return typeof time === 'number' ? time : 0;
}
