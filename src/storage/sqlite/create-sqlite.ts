import { beginLog } from '../operations/log.ts';
import type { Storage } from '../storage.ts';
import { Connection } from './connection.ts';
import { openSqlite } from './open-sqlite.ts';
import { makePrivate } from './private-file.ts';
import type { SqliteOptions } from './sqlite-store.ts';
import { upgrade } from './upgrade.ts';

/** A new authority's database, with a log that is empty, opened. Throws 'conflict' where the file holds a log. */
export async function createSqlite(options: SqliteOptions): Promise<Storage> {
  makePrivate(options.file);
  const connection = Connection.openWriter(options.file);
  try {
    upgrade(connection);
    connection.control('begin immediate');
    connection.perform(beginLog(options));
    connection.control('commit');
  } finally {
    connection.close();
  }
  return openSqlite(options);
}
