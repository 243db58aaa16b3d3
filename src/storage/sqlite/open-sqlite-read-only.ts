import { type Kind, operations } from '../operations.ts';
import { type ReadOnlyStorage, readOnlyStorage } from '../read-only.ts';
import { assertNewest } from '../schema-version.ts';
import { Connection } from './connection.ts';

/** In this thread and at once: for a process that only verifies or copies. Throws 'store'. */
export async function openSqliteReadOnly(file: string): Promise<ReadOnlyStorage> {
  const connection = Connection.openReader(file);
  try {
    // One transaction to the end: head, entries and certificates are of the same moment.
    connection.control('begin');
    connection.perform(assertNewest());
  } catch (error) {
    connection.close();
    throw error;
  }
  return readOnlyStorage(
    async (name, argument) => {
      const { perform } = operations[name] as Kind<unknown, never>;
      return connection.perform(perform(argument));
    },
    async () => connection.close(),
  );
}
