import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { Migration } from '../migration.ts';
import type { Schema } from '../schema.ts';

/** Compiles queries to PostgreSQL's SQL; executes none. */
export const postgresCompiler = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** What SQLite and PostgreSQL call the types of our columns. Text is compared by its bytes, in both: whatever the database's locale. */
const types: Readonly<Record<string, string>> = {
  text: 'text collate "C"',
  integer: 'bigint',
  real: 'double precision',
  blob: 'bytea',
};

/** A migration's statement in PostgreSQL's words (migration.ts says what differs). */
export function postgresStatement(statement: Migration['statements'][number]): string {
  const [, head = '', columns, options] =
    /^(create table [^(]+|alter table \w+ add column )([\s\S]*?)((?: strict)?(?:, without rowid)?)$/.exec(
      statement,
    ) ?? [];
  if (columns === undefined || options === undefined) return statement;
  // A type stands behind the name of its column, and a column may be called like a type.
  return (
    head +
    columns.replace(
      /(\w+ )(text|integer|real|blob)\b/g,
      (_, name: string, type: string) => name + types[type]!,
    )
  );
}
