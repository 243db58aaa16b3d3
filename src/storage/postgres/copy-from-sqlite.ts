import { SallyportError } from '#errors';
import { sql } from 'kysely';
import { first } from '../operation.ts';
import { assertEmpty } from '../operations/emptiness.ts';
import { assertNewest } from '../schema-version.ts';
import { Connection } from '../sqlite/connection.ts';
import { statement } from '../statement.ts';
import { copiedTables } from '../tables.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import type { Session } from './session.ts';

/** PostgreSQL takes 65,535 parameters in a statement. */
const rowsAtOnce = 1000;

/**
 * Copies the whole database of an authority that is not running to an empty one, in one transaction: all of it is there afterwards, or nothing.
 * While it lasts nobody writes to the old one. Returns the number of rows of each table, counted on both sides. Throws 'conflict' where the new
 * one is not empty, 'store' where either cannot be read or written.
 */
export async function copyFromSqlite(
  file: string,
  settings: PostgresSettings,
  progress: (table: string, rows: number) => void = () => {},
): Promise<Readonly<Record<string, number>>> {
  const { PreparedStatements, Sessions } = await import('./session.ts');
  const { beginUpgrade, upgrade } = await import('./upgrade.ts');
  const from = Connection.openWriter(file);
  const sessions = new Sessions(settings, 1, new PreparedStatements(settings));
  try {
    from.control('begin immediate');
    from.perform(assertNewest());
    return await sessions.with(async (session) => {
      await upgrade(session, null);
      // Whoever starts meanwhile waits until it has its log, and whoever serves it already until it is refused here.
      await session.control(`${beginUpgrade}; select 1 from log_head where id = 1 for update`);
      try {
        await session.perform(assertEmpty());
        await session.control('delete from log_head');
        const counts: Record<string, number> = {};
        for (const table of copiedTables) {
          counts[table] = await copyTable(table, from, session, (rows) => progress(table, rows));
        }
        await session.control('commit');
        return counts;
      } catch (error) {
        if (!session.broken) await session.control('rollback').catch(() => session.giveUp());
        throw error;
      }
    });
  } finally {
    from.close();
    await sessions.close();
  }
}

const selectTable = statement((database) =>
  database.selectNoFrom(sql<string | null>`to_regclass('log_head')::text`.as('name')),
);

/** Before anything is done that takes its time. Throws 'conflict'. */
export async function assertEmptyPostgres(settings: PostgresSettings): Promise<void> {
  const { PreparedStatements, Sessions } = await import('./session.ts');
  const sessions = new Sessions(settings, 1, new PreparedStatements(settings));
  try {
    await sessions.with(async (session) => {
      const found = await session.perform(first(selectTable, {}));
      if (typeof found?.name === 'string') await session.perform(assertEmpty());
    });
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
  const { columns, rows } = from.rowsOf(table);
  const flush = async () => {
    if (batch.length === 0) return;
    await to.insert(table, columns, batch);
    copied += batch.length;
    progress(copied);
    batch = [];
  };
  for (const row of rows) {
    batch.push(columns.map((column) => row[column]));
    if (batch.length * columns.length >= rowsAtOnce * 16 || batch.length === rowsAtOnce) await flush();
  }
  await flush();
  const arrived = await to.count(table);
  if (arrived !== copied) {
    throw new SallyportError('store', `${copied} rows of ${table} were copied, and ${arrived} have arrived`);
  }
  return copied;
}
