import { createHash } from 'node:crypto';
import pg, { type PoolConfig } from 'pg';
import type { Operation, Step } from '../operation.ts';
import { type AnyStatement, type CompiledStatement, compileStatement, type Value } from '../statement.ts';
import { postgresCompiler } from './dialect.ts';
import { postgresError, sqlState } from './postgres-error.ts';
import type { PostgresSettings } from './postgres-settings.ts';

interface Prepared extends CompiledStatement {
  readonly name: string | undefined;
  readonly reads: boolean;
}

/** Numbers are numbers, as long as a double can hold them. What is larger was never written by us. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

const connectTimeoutMilliseconds = 5_000;
/** A server that says nothing for so long is as good as gone. */
const answerTimeoutMilliseconds = 20_000;
/** Where tables are counted, and committed, as a whole: the server works, and says nothing. */
export const wholeTableTimeoutMilliseconds = 3_600_000;
/** In a transaction that may take so long: who holds what it needs is not waited for as long. */
export const limitLockWait = `set local lock_timeout = ${answerTimeoutMilliseconds}`;

/** Of a table that is read whole: as many as these take. A request that is kept may have megabytes. */
const octetsAtOnce = 16 * 1024 * 1024;
const mostRowsAtOnce = 500;
const firstRowsAtOnce = 16;

/** Connections to one database, at most so many, made when they are needed. */
export class Sessions {
  readonly #pool: pg.Pool;
  readonly #prepared: PreparedStatements;

  constructor(
    options: PostgresSettings,
    maximum: number,
    prepared: PreparedStatements,
    timeoutMilliseconds = answerTimeoutMilliseconds,
  ) {
    this.#pool = new pg.Pool({
      ...clientConfig(options),
      query_timeout: timeoutMilliseconds,
      types,
      max: maximum,
    });
    this.#prepared = prepared;
    // An idle connection that ends is taken out of the pool, and that is all; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
  }

  /** Lends one. What `use` leaves open, it must have ended: a session that cannot be used further is thrown away. */
  async with<Result>(use: (session: Session) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw postgresError(error, 'the database cannot be reached');
    }
    const session = new Session(client, this.#prepared);
    const onEnd = () => session.giveUp();
    client.on('error', onEnd);
    client.on('end', onEnd);
    try {
      return await use(session);
    } finally {
      client.off('error', onEnd);
      client.off('end', onEnd);
      client.release(session.broken);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** One connection, lent. Drives operations step by step. Whether a step that failed was done is not known where the server is gone. */
export class Session {
  readonly #client: pg.PoolClient;
  readonly #prepared: PreparedStatements;
  #changed = false;
  #refused = false;
  #broken = false;

  constructor(client: pg.PoolClient, prepared: PreparedStatements) {
    this.#client = client;
    this.#prepared = prepared;
  }

  /** Nothing more can be asked: take another session. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The operation performed last may have changed something. */
  get changed(): boolean {
    return this.#changed;
  }

  /** The server refused a statement of the operation performed last: it undoes the transaction as a whole, and takes nothing more in it. */
  get refused(): boolean {
    return this.#refused;
  }

  async perform<Result>(operation: Operation<Result>): Promise<Result> {
    this.#changed = false;
    this.#refused = false;
    let step = operation.next();
    while (step.done !== true) {
      const asked = step.value;
      step = operation.next('statement' in asked ? await this.#answer(asked) : await this.#answers(asked));
    }
    return step.value;
  }

  /** Statements without parameters, in one message: begins, ends, undoes, migrates. */
  async control(sql: string): Promise<void> {
    try {
      await this.#client.query(sql);
    } catch (error) {
      throw this.#failed(error, `the database refused to ${sql.split(/[;\n]/, 1)[0]}`);
    }
  }

  /** Rows copied from elsewhere. Table and columns are names of the schema's own. */
  async insert(
    table: string,
    columns: readonly string[],
    rows: readonly (readonly unknown[])[],
  ): Promise<void> {
    const row = (at: number) => `(${columns.map((_, i) => `$${at * columns.length + i + 1}`).join(', ')})`;
    const names = columns.map((column) => `"${column}"`).join(', ');
    const text = `insert into "${table}" (${names}) values ${rows.map((_, at) => row(at)).join(', ')}`;
    try {
      await this.#client.query(text, rows.flat());
    } catch (error) {
      throw this.#failed(error, `the database refused rows of ${table}`);
    }
  }

  /** Every row of a table, some at a time, in the transaction that is open. The name is one of the schema's own. */
  async *rowsOf(table: string): AsyncGenerator<readonly Readonly<Record<string, unknown>>[]> {
    await this.control(`declare copied no scroll cursor for select * from "${table}"`);
    for (let ask = firstRowsAtOnce; ;) {
      const rows = await this.#nextRows(table, ask);
      if (rows.length > 0) yield rows;
      if (rows.length < ask) break;
      const each = Math.max(1, octetsOf(rows) / rows.length);
      ask = Math.max(1, Math.min(mostRowsAtOnce, Math.floor(octetsAtOnce / each)));
    }
    await this.control('close copied');
  }

  async #nextRows(table: string, count: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    try {
      return (await this.#client.query<Record<string, unknown>>(`fetch ${count} from copied`)).rows;
    } catch (error) {
      throw this.#failed(error, `the database refused to read ${table}`);
    }
  }

  async count(table: string): Promise<number> {
    try {
      const { rows } = await this.#client.query<{ count: number }>(
        `select count(*) as count from "${table}"`,
      );
      return rows[0]?.count ?? 0;
    } catch (error) {
      throw this.#failed(error, `the database refused to count ${table}`);
    }
  }

  /** Nothing more is asked of it: it is not lent again. */
  giveUp(): void {
    this.#broken = true;
  }

  /** Sent at once, and done in this order. The first error counts: in a transaction it is why the others fail. */
  async #answers(steps: readonly Step[]): Promise<readonly unknown[]> {
    const settled = await Promise.allSettled(steps.map((step) => this.#answer(step)));
    return settled.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    });
  }

  async #answer({ statement, parameters, want }: Step): Promise<unknown> {
    const prepared = this.#prepared.of(statement);
    const values = prepared.bind(parameters);
    // No text of the database holds a NUL, which it would refuse to look for.
    if (prepared.reads && values.some(holdsNul)) return want === 'rows' ? [] : undefined;
    const { rows, rowCount } = await this.#ask(prepared, values);
    if (!prepared.reads && rowCount !== 0) this.#changed = true;
    if (want === 'changes') return rowCount ?? 0;
    return want === 'rows' ? rows : rows[0];
  }

  async #ask({ name, sql }: Prepared, values: Value[]): Promise<pg.QueryResult<Record<string, unknown>>> {
    try {
      return await this.#client.query({ ...(name === undefined ? {} : { name }), text: sql, values });
    } catch (error) {
      throw this.#failed(error, 'the database refused a statement');
    }
  }

  #failed(error: unknown, what: string): Error {
    // The server's own refusals leave the connection as it is; a FATAL one ends it, and 'end' follows.
    if (sqlState(error) === undefined) this.#broken = true;
    else this.#refused = true;
    return postgresError(error, what);
  }
}

/** What bytes and texts take, about. */
export function octetsOf(rows: readonly Readonly<Record<string, unknown>>[]): number {
  let octets = 0;
  for (const row of rows) {
    for (const value of Object.values(row)) {
      if (typeof value === 'string' || value instanceof Uint8Array) octets += value.length;
    }
  }
  return octets;
}

function holdsNul(value: Value): boolean {
  return typeof value === 'string' && value.includes('\0');
}

/** Compiled once for all sessions, and prepared by name in each. */
export class PreparedStatements {
  readonly #named: boolean;
  readonly #byStatement = new Map<AnyStatement, Prepared>();

  constructor({ preparedStatements }: Pick<PostgresSettings, 'preparedStatements'>) {
    this.#named = preparedStatements;
  }

  of(statement: AnyStatement): Prepared {
    const known = this.#byStatement.get(statement);
    if (known !== undefined) return known;
    const { sql, bind } = compileStatement(statement, postgresCompiler);
    // By the text: behind a pooler several programs, of several versions, share a session.
    const name = this.#named
      ? `sallyport_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`
      : undefined;
    const prepared = { sql, bind, name, reads: sql.startsWith('select') };
    this.#byStatement.set(statement, prepared);
    return prepared;
  }
}

function clientConfig({ host, port, database, user, password, tls }: PostgresSettings): PoolConfig {
  return {
    host,
    port,
    database,
    user,
    // Undefined would make the driver look for one in files and environment of its own.
    password: password ?? '',
    // `host` is the name that the server's certificate must have.
    ssl: tls === null ? false : { ca: tls.ca, host, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    application_name: 'sallyport',
    connectionTimeoutMillis: connectTimeoutMilliseconds,
    keepAlive: true,
    // What is asked at once is sent at once; answers come in its order.
    pipeline: true,
  };
}
