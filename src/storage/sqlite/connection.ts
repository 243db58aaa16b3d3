import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Operation, Step } from '../operation.ts';
import { type AnyStatement, type CompiledStatement, compileStatement, type Value } from '../statement.ts';
import { sqliteCompiler } from './dialect.ts';
import { storeError } from './store-error.ts';

/** Written by one statement. */
const freePagesAtOnce = 4096;
const busyTimeoutMilliseconds = 5_000;

export type Control =
  | 'begin'
  | 'begin immediate'
  | 'commit'
  | 'rollback'
  | 'savepoint undo'
  | 'release undo'
  | 'rollback to undo';

interface Prepared {
  readonly statement: StatementSync;
  readonly reads: boolean;
  readonly bind: CompiledStatement['bind'];
}

/** One connection and its prepared statements. Drives operations to their end at once. */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<AnyStatement, Prepared>();
  readonly #controls = new Map<Control, StatementSync>();
  #changed = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * The one that writes. Synced at each commit: what is acknowledged survives power loss. A schema cannot make it call functions
   * (trusted_schema), and foreign keys hold.
   */
  static openWriter(file: string): Connection {
    return Connection.#open(file, false, [
      'pragma journal_mode = wal',
      'pragma synchronous = full',
      'pragma trusted_schema = off',
      'pragma temp_store = memory',
      'pragma cache_size = -4096',
      'pragma wal_autocheckpoint = 4000',
      'pragma secure_delete = fast',
    ]);
  }

  /** A file of its own that nobody reads yet, and that is one file when it is closed: for a copy. */
  static openCopy(file: string): Connection {
    return Connection.#open(file, false, [
      'pragma journal_mode = delete',
      'pragma synchronous = full',
      'pragma trusted_schema = off',
    ]);
  }

  static openReader(file: string): Connection {
    return Connection.#open(file, true, ['pragma trusted_schema = off']);
  }

  static #open(file: string, readOnly: boolean, pragmas: readonly string[]): Connection {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(file, {
        readOnly,
        timeout: busyTimeoutMilliseconds,
        enableForeignKeyConstraints: true,
      });
      for (const pragma of pragmas) database.exec(pragma);
      return new Connection(database);
    } catch (error) {
      database?.close();
      throw storeError(error, `the database ${file} cannot be opened`);
    }
  }

  /** False after an error that made SQLite give the transaction up. */
  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** The operation performed last may have changed something. */
  get changed(): boolean {
    return this.#changed;
  }

  perform<Result>(operation: Operation<Result>): Result {
    this.#changed = false;
    let step = operation.next();
    while (step.done !== true) {
      const asked = step.value;
      step = operation.next(
        'statement' in asked ? this.#answer(asked) : asked.map((each) => this.#answer(each)),
      );
    }
    return step.value;
  }

  /** Begins, ends and undoes. Kept prepared. */
  control(sql: Control): void {
    let statement = this.#controls.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#controls.set(sql, statement);
    }
    try {
      statement.run();
    } catch (error) {
      throw storeError(error, `the database refused to ${sql}`);
    }
  }

  /** A statement of a migration. */
  execute(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw storeError(error, 'the database refused a statement');
    }
  }

  /** Every row of a table, as it is read: for copying whole. The name is one of the schema's own. */
  rowsOf(table: string): { columns: string[]; rows: Iterable<Readonly<Record<string, unknown>>> } {
    const select = this.#database.prepare(`select * from ${table}`);
    return {
      columns: select.columns().map(({ name }) => name),
      rows: select.iterate() as Iterable<Record<string, unknown>>,
    };
  }

  /** Rows copied from elsewhere. Table and columns are names of the schema's own. */
  insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): void {
    const columns = Object.keys(rows[0] ?? {});
    if (columns.length === 0) return;
    const slots = columns.map(() => '?').join(', ');
    try {
      const insert = this.#database.prepare(
        `insert into "${table}" (${columns.map((column) => `"${column}"`).join(', ')}) values (${slots})`,
      );
      for (const row of rows) insert.run(...columns.map((column) => row[column] as Value));
    } catch (error) {
      throw storeError(error, `the database refused rows of ${table}`);
    }
  }

  count(table: string): number {
    return Number(this.#database.prepare(`select count(*) as count from "${table}"`).get()?.['count']);
  }

  /** The whole database, as it is at one moment, into a file that is empty. Writers go on meanwhile. */
  copyInto(file: string): void {
    try {
      this.#database.prepare('vacuum into ?').run(file);
    } catch (error) {
      throw storeError(error, `the database cannot be copied to ${file}`);
    }
  }

  /** From here on, deleted content is overwritten with zeros, pages that become free too (sqlite.org/pragma.html#pragma_secure_delete); or, as ever, where that costs no writing. */
  overwriteDeleted(all: boolean): void {
    this.#database.exec(`pragma secure_delete = ${all ? 'on' : 'fast'}`);
  }

  /**
   * Zeros over what is left in pages that are free already: while deleting was to cost no writing they kept it. They are taken for one row of zeros after the
   * other, until none is left, and given back.
   */
  overwriteFree(): void {
    const number = (pragma: string) =>
      Number(Object.values(this.#database.prepare(`pragma ${pragma}`).get()!)[0]);
    try {
      if (number('freelist_count') === 0) return;
      const pageSize = number('page_size');
      this.#database.exec('begin immediate');
      this.#database.exec('create table overwritten (zeros blob not null)');
      const fill = this.#database.prepare('insert into overwritten values (zeroblob(?))');
      for (let free = number('freelist_count'); free > 0; free = number('freelist_count')) {
        fill.run(Math.min(free, freePagesAtOnce) * pageSize);
      }
      this.#database.exec('drop table overwritten');
      this.#database.exec('commit');
    } catch (error) {
      if (this.inTransaction) this.control('rollback');
      throw storeError(error, 'free pages of the database cannot be overwritten');
    }
  }

  /** Moves the WAL into the database and cuts it to nothing. False: somebody reads from it, and it has to be tried again. */
  emptyWal(): boolean {
    // A reader may take minutes, and the writer must not wait for it.
    this.#database.exec('pragma busy_timeout = 0');
    try {
      return this.#database.prepare('pragma wal_checkpoint(truncate)').get()?.['busy'] === 0;
    } catch (error) {
      throw storeError(error, 'the WAL of the database cannot be emptied');
    } finally {
      this.#database.exec(`pragma busy_timeout = ${busyTimeoutMilliseconds}`);
    }
  }

  close(): void {
    this.#database.close();
  }

  #answer({ statement, parameters, want }: Step): unknown {
    try {
      const prepared = this.#prepared.get(statement) ?? this.#prepare(statement);
      const values = prepared.bind(parameters);
      if (want === 'changes') {
        const { changes } = prepared.statement.run(...values);
        if (changes !== 0) this.#changed = true;
        return changes;
      }
      if (!prepared.reads) this.#changed = true;
      return want === 'rows' ? prepared.statement.all(...values) : prepared.statement.get(...values);
    } catch (error) {
      throw storeError(error, 'the database refused a statement');
    }
  }

  #prepare(statement: AnyStatement): Prepared {
    const { sql, bind } = compileStatement(statement, sqliteCompiler);
    const prepared = { statement: this.#database.prepare(sql), reads: sql.startsWith('select'), bind };
    this.#prepared.set(statement, prepared);
    return prepared;
  }
}
