import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { SallyportError } from '#errors';
import { type Migration, migrations } from '../migration.ts';
import { first } from '../operation.ts';
import { openLog } from '../operations/log.ts';
import { createMigrationTable, missingMigrations, recordMigration } from '../schema-version.ts';
import { statement } from '../statement.ts';
import { postgresStatement } from './dialect.ts';
import { isLockTimeout } from './postgres-error.ts';
import type { Session } from './session.ts';

/** Of all that could be locked in this database, ours: whoever upgrades or makes it waits for whoever does. */
const upgradeLock = 0x53616c6c79;

export const lockUpgrade = `select pg_advisory_xact_lock(${upgradeLock})`;

/** The beginning of a transaction that none of these meets. */
export const beginUpgrade = `begin; ${lockUpgrade}`;

/**
 * A change of a table waits for who reads it, a backup say, and every writer waits behind the change. So it waits for a moment only, lets the
 * writers go on, and tries again.
 */
const beginChanges = "begin; set local lock_timeout = '3s'; set local statement_timeout = '15s'";
const pauseMilliseconds = 5_000;
const attempts = 4;

const selectMigrationTable = statement((database) =>
  database.selectNoFrom(sql<string | null>`to_regclass('migration')::text`.as('name')),
);

/**
 * Brings the database to the newest version and opens its log (null: there is none yet), in one transaction: where that is refused, nothing was
 * made. Nodes of an older version go on meanwhile: migrations add, and what they take away no version in use reads any more. Throws 'store' for
 * a database that is newer than this program and for one whose tables are read all the time, 'config' for one with the log of another origin,
 * 'log' for one without a log.
 */
export async function upgrade(
  session: Session,
  origin: string | null,
  to: readonly Migration[] = migrations,
  pause: () => Promise<unknown> = () => setTimeout(pauseMilliseconds),
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await inTransaction(session, () => upgradeOnce(session, origin, to));
      return;
    } catch (error) {
      if (!isLockTimeout(error) || session.broken) throw error;
      if (attempt === attempts) {
        throw new SallyportError(
          'store',
          'the database cannot be upgraded now: `backup`, `log verify` or `migrate` have its tables; start again when that has ended',
          { cause: error },
        );
      }
      await pause();
    }
  }
}

async function upgradeOnce(session: Session, origin: string | null, to: readonly Migration[]): Promise<void> {
  const found = await session.perform(first(selectMigrationTable, {}));
  // Nothing is changed where nothing is missing, and nobody is waited for.
  if (typeof found?.name !== 'string') await session.control(postgresStatement(createMigrationTable));
  for (const migration of await session.perform(missingMigrations(to))) {
    const { statements, onPostgres = [] } = migration;
    await session.control([...statements.map(postgresStatement), ...onPostgres].join(';\n'));
    await session.perform(recordMigration(migration));
  }
  if (origin !== null) await session.perform(openLog({ origin }));
}

async function inTransaction(session: Session, work: () => Promise<void>): Promise<void> {
  try {
    await session.control(`${beginChanges}; select pg_advisory_xact_lock(${upgradeLock})`);
    await work();
    await session.control('commit');
  } catch (error) {
    if (!session.broken) await session.control('rollback');
    throw error;
  }
}
