import { SallyportError } from '#errors';
import { type Kysely, sql } from 'kysely';
import { first } from '../operation.ts';
import { assertEmpty, isEmpty, notEmpty } from '../operations/emptiness.ts';
import { readHead } from '../operations/log.ts';
import { assertNewest } from '../schema-version.ts';
import { Connection } from '../sqlite/connection.ts';
import { statement } from '../statement.ts';
import { copiedTables } from '../tables.ts';
import { lockHead } from './lock-head.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import type { Session } from './session.ts';

/** PostgreSQL takes 65,535 parameters in a statement, and 1 GB. */
const rowsAtOnce = 1000;
const valuesAtOnce = 16_000;
const octetsAtOnce = 16 * 1024 * 1024;

type Progress = (table: string, rows: number) => void;
type Counts = Readonly<Record<string, number>>;

/**
 * Copies the whole database of an authority that is not running to an empty one, in one transaction: all of it is there afterwards, or nothing.
 * While it lasts nobody writes to the old one. One that was copied before, and that nobody has served since, is there already. Returns the number
 * of rows of each table, counted on both sides. Throws 'conflict' where the new one is not empty, 'store' where either cannot be read or written,
 * or where the new one was gone when it should have said that it has all.
 */
export async function copyFromSqlite(
  file: string,
  settings: PostgresSettings,
  progress: Progress = () => {},
): Promise<Counts> {
  const from = Connection.openWriter(file);
  try {
    from.control('begin immediate');
    from.perform(assertNewest());
    const { upgrade } = await import('./upgrade.ts');
    const { wholeTableTimeoutMilliseconds } = await import('./session.ts');
    await withSession(settings, (session) => upgrade(session, null));
    const outcome = await withSession(
      settings,
      (session) => copyAll(from, session, progress),
      wholeTableTimeoutMilliseconds,
    );
    if (!('lost' in outcome)) return outcome.counts;
    if (await withSession(settings, (session) => arrived(from, session)).catch(notKnown)) {
      return outcome.counts;
    }
    throw outcome.lost;
  } finally {
    from.close();
  }
}

/** `lost`: the server did not say what became of the commit. */
async function copyAll(
  from: Connection,
  session: Session,
  progress: Progress,
): Promise<{ readonly counts: Counts; readonly lost?: unknown }> {
  const { lockUpgrade } = await import('./upgrade.ts');
  const { limitLockWait } = await import('./session.ts');
  // Whoever starts meanwhile waits until it has its log, and whoever serves it already until it is refused here.
  await session.control(`begin; ${limitLockWait}; ${lockUpgrade}; ${lockHead}`);
  const counts: Record<string, number> = {};
  try {
    if (await holdsSame(from, session)) {
      for (const table of copiedTables) counts[table] = await countSame(table, from, session);
      await session.control('rollback');
      return { counts };
    }
    await session.perform(assertEmpty());
    await session.control('delete from log_head');
    for (const table of copiedTables) {
      counts[table] = await copyTable(table, from, session, (rows) => progress(table, rows));
    }
  } catch (error) {
    if (!session.broken) await session.control('rollback').catch(() => session.giveUp());
    throw error;
  }
  try {
    await session.control('commit');
    return { counts };
  } catch (lost) {
    session.giveUp();
    return { counts, lost };
  }
}

/** Waits for the transaction of which the answer was lost: it has the lock until it is done, or undone. */
async function arrived(from: Connection, session: Session): Promise<boolean> {
  const { beginUpgrade } = await import('./upgrade.ts');
  await session.control(beginUpgrade);
  const there = await holdsSame(from, session);
  await session.control('rollback');
  return there;
}

function notKnown(cause: unknown): never {
  throw new SallyportError(
    'store',
    'the database was gone when all was to be committed, and whether it has it is not known: run this again when it is back',
    { cause },
  );
}

/** The same log to its last hash: every act is an entry, so that nobody has served it since. */
async function holdsSame(from: Connection, session: Session): Promise<boolean> {
  if (await session.perform(isEmpty())) return false;
  const there = await session.perform(readHead());
  const here = from.perform(readHead());
  return (
    there.number === here.number &&
    there.origin === here.origin &&
    there.size === here.size &&
    Buffer.compare(there.hashes, here.hashes) === 0
  );
}

async function countSame(table: string, from: Connection, session: Session): Promise<number> {
  const there = await session.count(table);
  if (there === from.count(table)) return there;
  throw notEmpty();
}

interface PostgresSchema {
  readonly pg_tables: { readonly schemaname: string; readonly tablename: string };
}

const selectTable = statement((database, p: { name: string | null }) =>
  (database as never as Kysely<PostgresSchema>)
    .selectFrom('pg_tables')
    .select('tablename')
    .where('schemaname', '=', sql<string>`current_schema()`)
    .where((eb) =>
      eb('tablename', '=', eb.fn.coalesce(sql<string | null>`${p.name}::text`, eb.ref('tablename'))),
    )
    .limit(1),
);

/** Before anything is done that takes its time: no table is there, or an authority's without an authority in them. Throws 'conflict'. */
export async function assertEmptyPostgres(settings: PostgresSettings): Promise<void> {
  await withSession(settings, async (session) => {
    const ours = (await session.perform(first(selectTable, { name: 'log_head' }))) !== undefined;
    if (ours) await session.perform(assertEmpty());
    else if ((await session.perform(first(selectTable, { name: null }))) !== undefined) throw notEmpty();
  });
}

async function withSession<Result>(
  settings: PostgresSettings,
  use: (session: Session) => Promise<Result>,
  timeoutMilliseconds?: number,
): Promise<Result> {
  const { PreparedStatements, Sessions } = await import('./session.ts');
  const sessions = new Sessions(settings, 1, new PreparedStatements(settings), timeoutMilliseconds);
  try {
    return await sessions.with(use);
  } finally {
    await sessions.close();
  }
}

async function copyTable(
  table: string,
  from: Connection,
  to: Session,
  progress: (rows: number) => void,
): Promise<number> {
  let copied = 0;
  let batch: unknown[][] = [];
  let octets = 0;
  const { octetsOf } = await import('./session.ts');
  const { columns, rows } = from.rowsOf(table);
  const flush = async () => {
    if (batch.length === 0) return;
    await to.insert(table, columns, batch);
    copied += batch.length;
    progress(copied);
    batch = [];
    octets = 0;
  };
  for (const row of rows) {
    batch.push(columns.map((column) => row[column]));
    octets += octetsOf([row]);
    const full = batch.length === rowsAtOnce || batch.length * columns.length >= valuesAtOnce;
    if (full || octets >= octetsAtOnce) await flush();
  }
  await flush();
  const arrived = await to.count(table);
  if (arrived !== copied) {
    throw new SallyportError('store', `${copied} rows of ${table} were copied, and ${arrived} have arrived`);
  }
  return copied;
}
