import type { Storage } from '../storage.ts';
import { adminStore, enrollmentStore, logStore, type Perform } from '../stores.ts';
import { makePrivate } from './private-file.ts';
import { SourceRates } from './source-rates.ts';
import { storeError } from './store-error.ts';
import { StoreThread } from '../thread/store-thread.ts';
import type { SqliteOptions } from './sqlite-store.ts';

/**
 * Opens the database for the one process that writes to it, creates or upgrades it where needed. Throws 'store' for a file that is no
 * database or one of a newer program, 'config' for the log of another origin.
 */
export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  try {
    makePrivate(options.file);
  } catch (error) {
    throw storeError(error, `the database ${options.file} cannot be opened`);
  }
  const writer = await StoreThread.start(new URL('./worker.ts', import.meta.url), options);
  const perform: Perform = (name, argument) => writer.perform(name, argument);
  const sourceRates = await SourceRates.load(perform);
  return {
    enrollment: enrollmentStore(perform, async (query) => sourceRates.admit(query)),
    admin: adminStore(perform),
    log: logStore(perform),
    failed: writer.failed,
    clock: null,
    stats: () => writer.stats(),
    async close() {
      // Asked before the end is: what is asked later is refused.
      const saved = sourceRates.save();
      await writer.close();
      await saved;
    },
  };
}
