import { SallyportError } from '#errors';
import type { Operation } from '../operation.ts';
import { first } from '../operation.ts';
import { readHead } from '../operations/log.ts';
import { assertNewest } from '../schema-version.ts';
import { Connection } from '../sqlite/connection.ts';
import { statement } from '../statement.ts';
import { copiedTables } from '../tables.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import type { Session } from './session.ts';

/** PostgreSQL takes 65,535 parameters in a statement. */
const rowsAtOnce = 1000;

const countDevices = statement((database) =>
  database.selectFrom('device').select((eb) => eb.fn.countAll<number>().as('count')),
);

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
  const { upgrade } = await import('./upgrade.ts');
  const from = Connection.openWriter(file);
  const sessions = new Sessions(settings, 1, new PreparedStatements(settings));
  try {
    from.control('begin immediate');
    from.perform(assertNewest());
    const { origin } = from.perform(readHead());
    return await sessions.with(async (session) => {
      await upgrade(session, origin);
      await session.control('begin; select 1 from log_head where id = 1 for update');
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

function* assertEmpty(): Operation<void> {
  const { size } = yield* readHead();
  const devices = (yield* first(countDevices, {}))?.count ?? 0;
  if (size > 0 || devices > 0) {
    throw new SallyportError(
      'conflict',
      'the database holds an authority already: give an empty one, since nothing is overwritten',
    );
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
