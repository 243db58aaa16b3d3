import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Configuration, type Environment, type PostgresConfiguration, readSecret } from '#config';
import { SallyportError } from '#errors';
import {
  assertEmptyPostgres,
  assertEmptySqlite,
  backUpPostgres,
  backUpSqlite,
  copyFromSqlite,
  openPostgres,
  openPostgresReadOnly,
  openSqlite,
  openSqliteReadOnly,
  type PostgresSettings,
  type ReadOnlyStorage,
  type Storage,
} from '#storage';
import { syncDirectory } from './checkpoint-file.ts';
import { claimAdminSocket } from './admin-socket.ts';

/** Opens the database that the configuration names, for this process to serve. */
export async function openDatabase(
  configuration: Configuration,
  environment: Environment,
  clocks: { readonly wall: () => number; readonly monotonic: () => number },
): Promise<Storage> {
  const { database, sqliteFile, log } = configuration;
  if (database.kind === 'sqlite') return openSqlite({ file: sqliteFile, origin: log.origin });
  const settings = await postgresSettings(database, configuration, environment);
  return openPostgres({ ...settings, origin: log.origin }, clocks);
}

/** As it is now, for a process that only verifies or copies, beside the one that serves. */
export async function readDatabase(
  configuration: Configuration,
  environment: Environment,
): Promise<ReadOnlyStorage> {
  const { database, sqliteFile } = configuration;
  if (database.kind === 'sqlite') return openSqliteReadOnly(sqliteFile);
  return openPostgresReadOnly(await postgresSettings(database, configuration, environment));
}

/** All rows of the database, as they are at one moment, into a new SQLite file, whichever kind the database is. Who serves it goes on meanwhile. */
export async function backUpDatabase(
  configuration: Configuration,
  environment: Environment,
  file: string,
): Promise<void> {
  const { database, sqliteFile } = configuration;
  if (database.kind === 'sqlite') backUpSqlite(sqliteFile, file);
  else await backUpPostgres(await postgresSettings(database, configuration, environment), file);
}

/**
 * Moves the database of an authority that is not running from SQLite to the PostgreSQL that the configuration names, in one transaction. The old
 * one stays where it is. Returns the rows of each table.
 */
export async function copyDatabase(
  configuration: Configuration,
  environment: Environment,
  progress: (table: string, rows: number) => void,
): Promise<Readonly<Record<string, number>>> {
  const { database, sqliteFile } = configuration;
  if (database.kind !== 'postgres') {
    throw new SallyportError('config', 'the configuration names no PostgreSQL: add database.postgres');
  }
  const settings = await postgresSettings(database, configuration, environment);
  return whileNobodyServes(configuration, () => copyFromSqlite(sqliteFile, settings, progress));
}

/** Whoever serves has the admin socket: meanwhile nobody begins to. Throws 'conflict' where somebody does. */
export async function whileNobodyServes<Result>(
  configuration: Configuration,
  work: () => Promise<Result>,
): Promise<Result> {
  const claim = await claimAdminSocket(configuration, () => undefined);
  try {
    return await work();
  } finally {
    await claim.close();
  }
}

/** Throws 'conflict' where the database that the configuration names holds an authority, or anything else. */
export async function assertEmptyDatabase(
  configuration: Configuration,
  environment: Environment,
): Promise<void> {
  const { database, sqliteFile } = configuration;
  if (database.kind === 'sqlite') assertEmptySqlite(sqliteFile);
  else await assertEmptyPostgres(await postgresSettings(database, configuration, environment));
}

/**
 * Makes a finished SQLite file the database that the configuration names, which is empty: by a rename where that is SQLite (they lie in one
 * folder), in one transaction where it is PostgreSQL. All of it is there afterwards, or nothing.
 */
export async function putDatabase(
  configuration: Configuration,
  environment: Environment,
  file: string,
): Promise<void> {
  const { database, sqliteFile } = configuration;
  if (database.kind === 'sqlite') {
    assertEmptySqlite(sqliteFile);
    await Promise.all(['-wal', '-shm'].map((end) => rm(`${sqliteFile}${end}`, { force: true })));
    await rename(file, sqliteFile);
    await syncDirectory(dirname(sqliteFile));
  } else {
    await copyFromSqlite(file, await postgresSettings(database, configuration, environment));
  }
}

/** What tells this node from others that share its database; null where there are none. */
export function nodeOf({ database }: Pick<Configuration, 'database'>): string | null {
  return database.kind === 'postgres' ? database.node : null;
}

async function postgresSettings(
  { host, port, database, user, password, tls, connections, preparedStatements }: PostgresConfiguration,
  { directory }: Configuration,
  environment: Environment,
): Promise<PostgresSettings> {
  return {
    host,
    port,
    database,
    user,
    connections,
    preparedStatements,
    password: password === null ? undefined : readSecret(password, directory, environment),
    tls: tls === null ? null : { ca: await readCa(tls.ca) },
  };
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SallyportError('config', `${file} cannot be read: the CAs of the database stand in it`, {
      cause,
    });
  }
}
