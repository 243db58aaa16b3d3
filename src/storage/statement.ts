import type { Compilable, Kysely } from 'kysely';
import { SallyportError } from '#errors';
import type { Schema } from './schema.ts';

/** What a column holds and a parameter may be. */
export type Value = string | number | Uint8Array | null;

/**
 * A query with named parameters, written once. Each adapter compiles it for its own database and keeps it prepared. `Row` is what a
 * row of its result has.
 */
export interface Statement<in Parameters, out Row> {
  readonly build: (database: Kysely<Schema>, parameters: Parameters) => Compilable<Row>;
}

/** A statement of whatever parameters and rows. */
export type AnyStatement = Statement<never, unknown>;

export function statement<Parameters, Row>(
  build: (database: Kysely<Schema>, parameters: Parameters) => Compilable<Row>,
): Statement<Parameters, Row> {
  return { build };
}

export interface CompiledStatement {
  readonly sql: string;
  /** The values in the order of the SQL's parameters. */
  readonly bind: (parameters: Readonly<Record<string, unknown>>) => Value[];
}

/** Stands in a query for the parameter of this name, until it is compiled. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export function compileStatement(statement: AnyStatement, database: Kysely<Schema>): CompiledStatement {
  const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) });
  const { sql, parameters } = statement.build(database, placeholders as never).compile();
  const constants = parameters.map((slot) => (slot instanceof Placeholder ? null : bindable(slot, sql)));
  const names = parameters.map((slot) => (slot instanceof Placeholder ? slot.name : undefined));
  return {
    sql,
    bind(given) {
      const values = constants.slice();
      for (const [at, name] of names.entries()) {
        if (name !== undefined) values[at] = bindable(given[name], name);
      }
      return values;
    },
  };
}

/** SQLite answers a comparison with 1 or 0, PostgreSQL with a boolean. */
export function isTrue(value: unknown): boolean {
  return value === 1 || value === true;
}

/** SQLite's binding would take undefined and NaN for NULL, and round what a double cannot hold. */
function bindable(value: unknown, where: string): Value {
  if (typeof value === 'string' || value === null || value instanceof Uint8Array) return value;
  if (typeof value === 'number' && (Number.isSafeInteger(value) || isFraction(value))) return value;
  throw new SallyportError('internal', `a ${typeof value} that no column can hold was given for ${where}`);
}

function isFraction(value: number): boolean {
  return Number.isFinite(value) && !Number.isInteger(value);
}
