import { existsSync } from 'node:fs';
import { SallyportError } from '#errors';
import type { Storage } from '../storage.ts';
import { acmeStore, adminStore, enrollmentStore, logStore, type Perform } from '../stores.ts';
import { makePrivate } from './private-file.ts';
import { SourceRates } from './source-rates.ts';
import { storeError } from './store-error.ts';
import { StoreThread } from '../thread/store-thread.ts';
import type { SqliteOptions } from './sqlite-store.ts';

/**
 * Opens the database for the one process that writes to it, upgrades it where needed. Throws 'store' for a file that is no database or one of a
 * newer program, 'config' for the log of another origin, 'log' where there is no file or no log in it: serving makes none.
 */
export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  if (!existsSync(options.file)) {
    throw new SallyportError(
      'log',
      `there is no database ${options.file}: see that it is the right place, or put a backup there with \`sallyport restore\``,
    );
  }
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
    acme: acmeStore(perform),
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
