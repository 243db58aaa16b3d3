import { assertNewest } from '../schema-version.ts';
import { Connection } from './connection.ts';
import { makePrivate } from './private-file.ts';

/**
 * The whole database as it is at one moment, in a new file that its owner alone can read. One reading transaction: whoever serves the
 * database goes on writing. Throws 'store'.
 */
export function backUpSqlite(file: string, to: string): void {
  const connection = Connection.openReader(file);
  try {
    connection.perform(assertNewest());
    makePrivate(to);
    connection.copyInto(to);
  } finally {
    connection.close();
  }
}
