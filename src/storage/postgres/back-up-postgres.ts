import { SallyportError } from '#errors';
import { assertNewest } from '../schema-version.ts';
import { Connection } from '../sqlite/connection.ts';
import { makePrivate } from '../sqlite/private-file.ts';
import { upgrade } from '../sqlite/upgrade.ts';
import { copiedTables } from '../tables.ts';
import { asWholeTable, beginLongReading } from './long-reading.ts';
import type { PostgresSettings } from './postgres-settings.ts';

/**
 * The same file that SQLite's backup is, of a PostgreSQL: all tables of one snapshot, beside all that is written meanwhile. So that a backup
 * of either is restored to either. Throws 'store'.
 */
export async function backUpPostgres(settings: PostgresSettings, file: string): Promise<void> {
  const { limitLockWait, PreparedStatements, Sessions, wholeTableTimeoutMilliseconds } =
    await import('./session.ts');
  const prepared = new PreparedStatements(settings);
  const sessions = new Sessions(settings, 1, prepared, wholeTableTimeoutMilliseconds);
  makePrivate(file);
  const to = Connection.openCopy(file);
  try {
    upgrade(to);
    to.control('begin immediate');
    await sessions.with(async (session) => {
      await session.control(`${beginLongReading}; ${limitLockWait}`);
      await session.perform(assertNewest());
      for (const table of copiedTables) {
        let copied = 0;
        for await (const rows of session.rowsOf(table)) {
          to.insert(table, rows);
          copied += rows.length;
        }
        assertWhole(table, copied, await asWholeTable(session, () => session.count(table)));
      }
      await session.control('rollback');
    });
    to.control('commit');
  } finally {
    to.close();
    await sessions.close();
  }
}

function assertWhole(table: string, copied: number, there: number): void {
  if (copied === there) return;
  throw new SallyportError('store', `${copied} rows of ${table} were copied, and the database has ${there}`);
}
