import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { PostgresCluster } from '../harness/postgres-cluster.ts';

export type Row = Readonly<Record<string, unknown>>;

/** The database of an authority, as somebody beside it reads it. */
export interface TestDatabase {
  readonly kind: 'sqlite' | 'postgres';
  /** All queries see one moment. */
  read(queries: readonly string[]): Promise<Row[][]>;
  /** Moves the clock that leases are judged by. A process of today sees it at its next start, or, on PostgreSQL, when it reads the clock next. */
  advance(milliseconds: number): Promise<void>;
  /** What `advance` made of the wall clock of a process that starts now. */
  readonly aheadMilliseconds: number;
}

export class SqliteFile implements TestDatabase {
  readonly kind = 'sqlite';
  readonly #file: string;
  #ahead = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get aheadMilliseconds(): number {
    return this.#ahead;
  }

  async read(queries: readonly string[]): Promise<Row[][]> {
    const database = new DatabaseSync(this.#file, { readOnly: true, timeout: 5_000 });
    try {
      database.exec('begin');
      return queries.map((sql) => database.prepare(sql).all());
    } finally {
      database.close();
    }
  }

  async advance(milliseconds: number): Promise<void> {
    this.#ahead += milliseconds;
  }
}

const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

export class PostgresDatabase implements TestDatabase {
  readonly kind = 'postgres';
  readonly cluster: PostgresCluster;
  readonly #name: string;
  readonly aheadMilliseconds = 0;

  private constructor(cluster: PostgresCluster, name: string) {
    this.cluster = cluster;
    this.#name = name;
  }

  /** Before the first node opens it: the nodes' clock is the database's, and is a function of the test's own from here on, found first by its name. */
  static async withClock(cluster: PostgresCluster, name: string): Promise<PostgresDatabase> {
    await cluster.query(
      `create table test_clock (ahead bigint not null);
       insert into test_clock values (0);
       create function public.clock_timestamp() returns timestamptz language sql volatile as
         $$ select pg_catalog.clock_timestamp() + (select ahead from public.test_clock) * interval '1 millisecond' $$;
       alter database ${name} set search_path = public, pg_catalog`,
      name,
    );
    return new PostgresDatabase(cluster, name);
  }

  async read(queries: readonly string[]): Promise<Row[][]> {
    const client = new pg.Client({ ...this.cluster.address, database: this.#name, types });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query('begin isolation level repeatable read read only');
      const results: Row[][] = [];
      for (const sql of queries) results.push((await client.query<Row>(sql)).rows);
      return results;
    } finally {
      await client.end();
    }
  }

  async advance(milliseconds: number): Promise<void> {
    await this.cluster.query(`update test_clock set ahead = ahead + ${milliseconds}`, this.#name);
  }
}
