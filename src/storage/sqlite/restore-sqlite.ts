import { existsSync } from 'node:fs';
import { type Kysely, sql } from 'kysely';
import { CompactRange, type TreeHead } from '#audit';
import { first } from '../operation.ts';
import { saveNote } from '../operations/checkpoint.ts';
import { assertEmpty, notEmpty } from '../operations/emptiness.ts';
import { readHead } from '../operations/log.ts';
import { restore, type Restored, type Restoring } from '../operations/restore.ts';
import { statement } from '../statement.ts';
import { Connection } from './connection.ts';
import { upgrade } from './upgrade.ts';

/** A backup may be of an older version. Throws 'store' for one of a newer program. */
export function upgradeCopy(file: string): void {
  const connection = Connection.openCopy(file);
  try {
    upgrade(connection);
  } finally {
    connection.close();
  }
}

/**
 * Makes of a copy of a backup what will be served, in one transaction. `sign` gives the first checkpoint of the new log, which is kept with it.
 * Throws 'conflict' where the database knows the new origin already.
 */
export async function restoreCopy(
  file: string,
  restoring: Restoring,
  sign: (head: TreeHead) => Promise<string>,
): Promise<Restored & { readonly checkpoint: string }> {
  const connection = Connection.openCopy(file);
  try {
    connection.control('begin immediate');
    const restored = connection.perform(restore(restoring));
    const { size, hashes } = connection.perform(readHead());
    const checkpoint = await sign({ size, root: CompactRange.restore(size, hashes).root() });
    connection.perform(saveNote({ size, note: checkpoint }));
    connection.control('commit');
    return { ...restored, checkpoint };
  } finally {
    connection.close();
  }
}

interface SqliteSchema {
  readonly sqlite_schema: { readonly type: string; readonly name: string };
}

const selectTable = statement((database, p: { name: string | null }) =>
  (database as never as Kysely<SqliteSchema>)
    .selectFrom('sqlite_schema')
    .select('name')
    .where('type', '=', sql.lit('table'))
    .where((eb) => eb('name', '=', eb.fn.coalesce(eb.val(p.name), eb.ref('name'))))
    .limit(1),
);

/** Nothing is there, or a database without an authority in it. Throws 'conflict', and 'store' for what is no database. */
export function assertEmptySqlite(file: string): void {
  if (!existsSync(file)) return;
  const connection = Connection.openReader(file);
  try {
    const ours = connection.perform(first(selectTable, { name: 'log_head' })) !== undefined;
    if (ours) connection.perform(assertEmpty());
    else if (connection.perform(first(selectTable, { name: null })) !== undefined) throw notEmpty();
  } finally {
    connection.close();
  }
}
