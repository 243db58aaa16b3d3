import { SallyportError } from '#errors';
import { type Migration, migrations } from './migration.ts';
import { first, type Operation, run } from './operation.ts';
import { statement } from './statement.ts';

/** Of the schema that this program works with. */
export const schemaVersion = migrations.length;

/** Where the version is kept, in words that every database takes. */
export const createMigrationTable =
  'create table if not exists migration (version integer primary key not null, name text not null)';

const selectVersion = statement((database) =>
  database.selectFrom('migration').select((eb) => eb.fn.max('version').as('version')),
);

const insertVersion = statement((database, p: { version: number; name: string }) =>
  database.insertInto('migration').values({ version: p.version, name: p.name }),
);

/** What the database has yet to learn, in order. Throws 'store' for one that is newer than this program. */
export function* missingMigrations(to: readonly Migration[]): Operation<readonly Migration[]> {
  const version = yield* readVersion();
  if (version > to.length) throw newerDatabase(version, to.length);
  return to.slice(version);
}

export function* recordMigration({ version, name }: Migration): Operation<void> {
  yield* run(insertVersion, { version, name });
}

/** Throws 'store' unless the database has exactly the newest version. */
export function* assertNewest(): Operation<void> {
  const missing = yield* missingMigrations(migrations);
  if (missing.length === 0) return;
  throw new SallyportError(
    'store',
    `the database has version ${migrations.length - missing.length} of the schema, not ${migrations.length}: serve upgrades it`,
  );
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
