import type { Storage } from '../storage.ts';
import { acmeStore, adminStore, enrollmentStore, logStore, type Perform } from '../stores.ts';
import { StoreThread } from '../thread/store-thread.ts';
import { databaseClock, type DatabaseClockSources } from './database-clock.ts';
import type { PostgresStoreOptions } from './postgres-store.ts';

/** How often the clock of the database is read anew. */
const readClockMilliseconds = 10_000;

/**
 * Opens the database that this node shares with others, upgrades it where needed. While the server cannot be reached, every call
 * rejects with 'store', and the next one tries again. Throws 'store' where the server cannot be
 * reached now or the database is one of a newer program, 'config' for the log of another origin, 'log' where it holds none: serving makes none.
 */
export async function openPostgres(
  options: PostgresStoreOptions,
  clocks: Omit<DatabaseClockSources, 'read'>,
): Promise<Storage> {
  const thread = await StoreThread.start(new URL('./worker.ts', import.meta.url), options);
  const perform: Perform = (name, argument) => thread.perform(name, argument);
  const clock = await databaseClock({ ...clocks, read: () => thread.time() });
  const timer = setInterval(() => void clock.follow().catch(() => undefined), readClockMilliseconds);
  timer.unref();
  /** What devices ask for is judged by the time. */
  const performSure: Perform = async (name, argument) => {
    clock.demandSure();
    return perform(name, argument);
  };
  return {
    enrollment: enrollmentStore(performSure),
    acme: acmeStore(perform),
    admin: adminStore(perform),
    log: logStore(perform),
    failed: thread.failed,
    clock,
    stats: () => thread.stats(),
    async close() {
      clearInterval(timer);
      await thread.close();
    },
  };
}
