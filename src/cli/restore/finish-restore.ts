import { checkAgainstPublished, decodeEntry, parseVerifierKey, verifierKey } from '#audit';
import { exchangeAnchor, loadLogSigner, originOf, readDatabase } from '#authority';
import type { Configuration, Environment } from '#config';
import type { ReadOnlyStorage } from '#storage';
import type { SealedManifest } from '../backup/manifest.ts';
import { exchangeCheckpoint, preparedCheckpoint } from './checkpoint-exchange.ts';
import { membersOf } from './members.ts';

export interface Finished {
  readonly finished: true;
  readonly origin: string;
  readonly keptCheckpoint: string | null;
  readonly keptInAnchor: readonly string[];
}

/**
 * Where a restore of this backup ended after its database was in place, and before it could say so: what was left to do. null: the database
 * holds another authority. Throws 'log' where the prepared checkpoint is not of its log.
 */
export async function finishRestore(
  configuration: Configuration,
  environment: Environment,
  manifest: SealedManifest,
): Promise<Finished | null> {
  const file = configuration.log.checkpointFile;
  const note = await preparedCheckpoint(file);
  if (note === null) return null;
  const storage = await readDatabase(configuration, environment);
  try {
    const origin = await storage.origin();
    if (originOf(note) !== origin || (await restoredFrom(storage)) !== manifest.file.sha256) return null;
    const { key } = await loadLogSigner(configuration, environment);
    const verifier = parseVerifierKey(verifierKey(origin, key.spki));
    await checkAgainstPublished(storage.log, { read: async () => note }, verifier);
    const keptInAnchor = await exchangeAnchor(configuration, note);
    return { finished: true, origin, keptInAnchor, keptCheckpoint: await exchangeCheckpoint(file) };
  } finally {
    await storage.close();
  }
}

/** SHA-256 of the backup that the log began with. */
async function restoredFrom({ log }: ReadOnlyStorage): Promise<unknown> {
  const [first] = await log.entries(0, 1);
  const detail = first === undefined ? null : decodeEntry(first.bytes)['detail'];
  const backup = membersOf(detail)['backup'];
  return membersOf(backup)['sha256'];
}
