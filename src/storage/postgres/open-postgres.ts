import type { Storage } from '../storage.ts';
import { adminStore, enrollmentStore, logStore, type Perform } from '../stores.ts';
import { StoreThread } from '../thread/store-thread.ts';
import type { PostgresStoreOptions } from './postgres-store.ts';

/**
 * Opens the database that this node shares with others, creates or upgrades it where needed. While the server cannot be reached, every call
 * rejects with 'store', and the next one tries again. Throws 'store' where it cannot be reached now or is one of a newer program, 'config' for
 * the log of another origin.
 */
export async function openPostgres(options: PostgresStoreOptions): Promise<Storage> {
  const thread = await StoreThread.start(new URL('./worker.ts', import.meta.url), options);
  const perform: Perform = (name, argument) => thread.perform(name, argument);
  return {
    enrollment: enrollmentStore(perform),
    admin: adminStore(perform),
    log: logStore(perform),
    failed: thread.failed,
    stats: () => thread.stats(),
    close: () => thread.close(),
  };
}
