import { SallyportError } from '#errors';
import type { Storage } from '../storage.ts';
import { adminStore, enrollmentStore, logStore, type Perform } from '../stores.ts';
import { StoreThread } from '../thread/store-thread.ts';
import type { PostgresStoreOptions } from './postgres-store.ts';

/** How often the clock of the database is read anew. */
const readClockMilliseconds = 10_000;

/**
 * Opens the database that this node shares with others, upgrades it where needed. While the server cannot be reached, every call
 * rejects with 'store', and the next one tries again. `monotonic` counts milliseconds and never jumps. Throws 'store' where the server cannot be
 * reached now or the database is one of a newer program, 'config' for the log of another origin, 'log' where it holds none: serving makes none.
 */
export async function openPostgres(options: PostgresStoreOptions, monotonic: () => number): Promise<Storage> {
  const thread = await StoreThread.start(new URL('./worker.ts', import.meta.url), options);
  const perform: Perform = (name, argument) => thread.perform(name, argument);
  const clock = await followClock(() => thread.time(), monotonic);
  return {
    enrollment: enrollmentStore(perform),
    admin: adminStore(perform),
    log: logStore(perform),
    failed: thread.failed,
    clock: clock.now,
    stats: () => thread.stats(),
    async close() {
      clock.stop();
      await thread.close();
    },
  };
}

/**
 * One clock for all nodes: the database's, carried on between two readings by the count of this machine, so that a wall clock that is set here
 * changes nothing. While the database cannot be read, the count goes on alone.
 */
async function followClock(read: () => Promise<number | null>, monotonic: () => number) {
  const offset = async (): Promise<number | null> => {
    const asked = monotonic();
    const time = await read();
    // As if it had been read half way.
    return time === null ? null : time - (asked + monotonic()) / 2;
  };
  const first = await offset();
  if (first === null) throw new SallyportError('store', 'the clock of the database cannot be read');
  let ahead = first;
  const timer = setInterval(() => {
    offset().then(
      (found) => (ahead = found ?? ahead),
      () => undefined,
    );
  }, readClockMilliseconds);
  timer.unref();
  return { now: () => Math.round(monotonic() + ahead), stop: () => clearInterval(timer) };
}
