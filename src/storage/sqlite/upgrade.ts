import { type Migration, migrations } from '../migration.ts';
import { createMigrationTable, missingMigrations, recordMigration } from '../schema-version.ts';
import type { Connection } from './connection.ts';

/** Brings the database to the newest version in one transaction. Throws 'store' for one that is newer than this program. */
export function upgrade(connection: Connection, to: readonly Migration[] = migrations): void {
  connection.control('begin immediate');
  try {
    connection.execute(`${createMigrationTable} strict`);
    for (const migration of connection.perform(missingMigrations(to))) {
      const { statements, onSqlite = [] } = migration;
      for (const sql of [...statements, ...onSqlite]) connection.execute(sql);
      connection.perform(recordMigration(migration));
    }
    connection.control('commit');
  } catch (error) {
    connection.control('rollback');
    throw error;
  }
}
