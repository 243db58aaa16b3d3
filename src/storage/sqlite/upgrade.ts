import { SallyportError } from '#errors';
import { type Migration, migrations } from '../migration.ts';
import { first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';
import type { Connection } from './connection.ts';

const selectVersion = statement((database) =>
  database.selectFrom('migration').select((eb) => eb.fn.max('version').as('version')),
);

const insertVersion = statement((database, p: { version: number; name: string }) =>
  database.insertInto('migration').values({ version: p.version, name: p.name }),
);

/** Brings the database to the newest version in one transaction. Throws 'store' for one that is newer than this program. */
export function upgrade(connection: Connection, to: readonly Migration[] = migrations): void {
  connection.control('begin immediate');
  try {
    connection.execute(
      'create table if not exists migration (version integer primary key not null, name text not null) strict',
    );
    connection.perform(applyMissing(connection, to));
    connection.control('commit');
  } catch (error) {
    connection.control('rollback');
    throw error;
  }
}

/** Throws 'store' unless the database has exactly the newest version. */
export function assertNewest(connection: Connection): void {
  const version = connection.perform(readVersion());
  if (version > migrations.length) throw newerDatabase(version, migrations.length);
  if (version < migrations.length) {
    throw new SallyportError(
      'store',
      `the database has version ${version} of the schema, not ${migrations.length}: serve upgrades it`,
    );
  }
}

function* applyMissing(connection: Connection, to: readonly Migration[]): Operation<void> {
  const version = yield* readVersion();
  if (version > to.length) throw newerDatabase(version, to.length);
  for (const migration of to.slice(version)) {
    for (const sql of migration.statements) connection.execute(sql);
    yield* run(insertVersion, { version: migration.version, name: migration.name });
  }
}

function* readVersion(): Operation<number> {
  return (yield* first(selectVersion, {}))?.version ?? 0;
}

function newerDatabase(version: number, known: number): SallyportError {
  return new SallyportError(
    'store',
    `the database has version ${version} of the schema, this program knows ${known}: run the newer program`,
  );
}
