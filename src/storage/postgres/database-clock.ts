import { SallyportError } from '#errors';

export interface DatabaseClockSources {
  /** The database's time, milliseconds since the epoch; null: it cannot be read now. */
  readonly read: () => Promise<number | null>;
  /** Counts milliseconds and is never set. It stands still while the machine sleeps. */
  readonly monotonic: () => number;
  /** This machine's own wall clock: a witness, and never followed. */
  readonly wall: () => number;
}

/** One clock for all nodes: the database's, carried on between two readings by the count of this machine, so that a wall clock that is set here changes nothing. */
export interface DatabaseClock {
  now(): number;
  /** The count, with what the machine slept. */
  count(): number;
  /**
   * Throws 'store' where the machine seems to have slept since the database's clock was read: nothing is judged by that time. It is read anew then, at once.
   */
  demandSure(): void;
  /** Reads anew. While the database cannot be read, the count goes on alone. */
  follow(): Promise<void>;
}

/** So far count and wall clock may drift apart between two readings: a leap second, NTP that slews. */
const toleranceMilliseconds = 5_000;

interface Reading {
  readonly database: number;
  readonly count: number;
  readonly wall: number;
}

/** Throws 'store' where the database's clock cannot be read. */
export async function databaseClock({ read, monotonic, wall }: DatabaseClockSources): Promise<DatabaseClock> {
  /** What the count has lost. */
  let slept = 0;
  const count = () => monotonic() + slept;
  const take = async (): Promise<Reading | null> => {
    const asked = { count: count(), wall: wall() };
    const database = await read();
    const answered = { count: count(), wall: wall() };
    const took = Math.max(answered.count - asked.count, Math.abs(answered.wall - asked.wall));
    // Nobody knows when in between it was read.
    if (database === null || took > toleranceMilliseconds) return null;
    return { database, count: (asked.count + answered.count) / 2, wall: (asked.wall + answered.wall) / 2 };
  };
  const first = await take();
  if (first === null) throw new SallyportError('store', 'the clock of the database cannot be read');
  let last = first;
  const compare = async () => {
    const found = await take();
    if (found === null) return;
    const behind = found.database - last.database - (found.count - last.count);
    const wallBehind = found.wall - last.wall - (found.count - last.count);
    // Two of three clocks have gone on: it is the count that stood still. Where the database's alone is ahead, somebody has set it.
    const isSleep = behind > toleranceMilliseconds && Math.abs(behind - wallBehind) <= toleranceMilliseconds;
    if (isSleep) slept += behind;
    last = isSleep ? { ...found, count: found.count + behind } : found;
  };
  let following: Promise<void> | null = null;
  /** One at a time: each compares with the one before. */
  const follow = () => (following ??= compare().finally(() => (following = null)));
  return {
    now: () => Math.round(count() + last.database - last.count),
    count,
    demandSure() {
      if (Math.abs(wall() - last.wall - (count() - last.count)) <= toleranceMilliseconds) return;
      void follow().catch(() => undefined);
      throw new SallyportError(
        'store',
        'this machine slept, or its clock was set: nothing is done before the clock of the database was read anew',
      );
    },
    follow,
  };
}
