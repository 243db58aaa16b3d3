import { type Migration, migrations } from '../migration.ts';
import { openLog } from '../operations/log.ts';
import { createMigrationTable, missingMigrations, recordMigration } from '../schema-version.ts';
import { postgresStatement } from './dialect.ts';
import type { Session } from './session.ts';

/** Of all that could be locked in this database, ours: whoever upgrades or makes it waits for whoever does. */
const upgradeLock = 0x53616c6c79;

export const lockUpgrade = `select pg_advisory_xact_lock(${upgradeLock})`;

/** The beginning of a transaction that none of these meets. */
export const beginUpgrade = `begin; ${lockUpgrade}`;

/**
 * Brings the database to the newest version and makes its log where there is none (null: not yet), in one transaction. Nodes of an older version go on
 * meanwhile: migrations add, and what they take away no version in use reads any more. Throws 'store' for a database that is newer than this
 * program, 'config' for one with the log of another origin.
 */
export async function upgrade(
  session: Session,
  origin: string | null,
  to: readonly Migration[] = migrations,
): Promise<void> {
  await session.control(beginUpgrade);
  try {
    await session.control(postgresStatement(createMigrationTable));
    for (const migration of await session.perform(missingMigrations(to))) {
      const { statements, onPostgres = [] } = migration;
      await session.control([...statements.map(postgresStatement), ...onPostgres].join(';\n'));
      await session.perform(recordMigration(migration));
    }
    if (origin !== null) await session.perform(openLog({ origin }));
    await session.control('commit');
  } catch (error) {
    if (!session.broken) await session.control('rollback');
    throw error;
  }
}
