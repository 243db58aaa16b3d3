import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hash } from 'node:crypto';
import { CompactRange, leafHash } from '#audit';
import type { AuthorityFiles } from '../test/harness/authority.ts';
import { findClient } from '../test/clients.ts';
import type { PostgresCluster } from '../test/harness/postgres-cluster.ts';

/** What stands in a database before the bench begins: certificates of devices of their own, ten of each. */
export interface History {
  readonly certificates: number;
  /** So many of the newest are revoked, and expire late. Else only the newest of each device is still current. */
  readonly revoked: number;
}

const certificatesOfDevice = 10;
const day = 86_400_000;

type Value = string | number | Uint8Array | null;
type Row = readonly Value[];

const deviceColumns = [
  'id',
  'serial_number',
  'device_class',
  'owner',
  'state',
  'identifiers',
  'created_at',
  'updated_at',
];
const entryColumns = ['idx', 'id', 'leaf_hash', 'bytes'];
const hashColumns = ['level', 'idx', 'hash'];
const certificateColumns = [
  'log_idx',
  'sha256',
  'issuer',
  'serial_number',
  'device_id',
  'template',
  'spki',
  'names',
  'not_before',
  'not_after',
  'predecessor',
  'revoked_at',
  'revocation_reason',
  'der',
];

function* devices({ certificates }: History, now: number): Iterable<Row> {
  for (let at = 0; at * certificatesOfDevice < certificates; at += 1) {
    yield [`old-${at}`, `S${at}`, 'laptop', null, 'active', '{}', now, now];
  }
}

/** Entries are shorter than real ones (300 octets of 3,000): ten million of those would fill the disk. Their tree is the real one. */
function* entries({ certificates }: History, range: CompactRange): Iterable<{ entry: Row; hashes: Row[] }> {
  for (let at = 0; at < certificates; at += 1) {
    const idx = range.size;
    const bytes = Buffer.from(`{"certificate":"${'0'.repeat(230)}","id":"OLD-${at}","time":${at}}`);
    const leaf = leafHash(bytes);
    const hashes = range.append(leaf).map(({ level, index, hash: node }): Row => [level, index, node]);
    yield { entry: [idx, `OLD-${at}`, leaf, bytes], hashes };
  }
}

/** Bytes of a certificate's length that are none: nobody reads them in these runs. */
function* certificates(
  { certificates: count, revoked }: History,
  issuer: string,
  from: number,
  now: number,
): Iterable<Row> {
  const der = Buffer.alloc(600, 0x30);
  for (let at = 0; at < count; at += 1) {
    der.writeUInt32BE(at, 100);
    const sha256 = hash('sha256', der, 'hex');
    const spki = hash('sha256', `key ${at}`, 'hex');
    const ofDevice = at % certificatesOfDevice;
    const isRevoked = at >= count - revoked;
    // No two end at once, as in a fleet: the CRL is read in the order of ends.
    const end =
      at +
      (isRevoked || ofDevice === certificatesOfDevice - 1 ? now + 300 * day : now - (10 - ofDevice) * day);
    yield [
      from + at,
      sha256,
      issuer,
      `4${spki.slice(1, 32)}`,
      `old-${Math.floor(at / certificatesOfDevice)}`,
      'device',
      spki,
      sha256,
      end - 365 * day,
      end,
      null,
      isRevoked ? now : null,
      isRevoked ? 4 : null,
      Buffer.from(der),
    ];
  }
}

const issuer = 'issuing';

/** They have had all of it long ago: else the bench would measure what they catch up on. */
const sinks = ['siem', 'siem@node-1', 'siem@node-2'];

/** Into the database of an authority that is not running. */
export function fillSqlite({ directory }: AuthorityFiles, history: History): void {
  const database = new DatabaseSync(path.join(directory, 'data/sallyport.db'));
  try {
    database.exec('pragma cache_size = -6000000; pragma synchronous = off');
    const indexes = database
      .prepare(
        "select name, sql from sqlite_schema where type = 'index' and sql is not null and tbl_name in ('certificate', 'log_entry')",
      )
      .all() as { name: string; sql: string }[];
    database.exec('begin');
    for (const { name } of indexes) database.exec(`drop index ${name}`);
    const into = (table: string, columns: readonly string[]) => {
      const insert = database.prepare(
        `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
      );
      return (row: Row) => void insert.run(...row);
    };
    const now = Date.now();
    const head = database.prepare('select size, hashes from log_head').get() as {
      size: number;
      hashes: Uint8Array;
    };
    const range = CompactRange.restore(head.size, head.hashes);
    const [device, entry, node, certificate] = [
      into('device', deviceColumns),
      into('log_entry', entryColumns),
      into('log_hash', hashColumns),
      into('certificate', certificateColumns),
    ];
    for (const row of devices(history, now)) device(row);
    for (const { entry: row, hashes } of entries(history, range)) {
      entry(row);
      hashes.forEach(node);
    }
    for (const row of certificates(history, issuer, head.size, now)) certificate(row);
    database.prepare('update log_head set size = ?, hashes = ?').run(range.size, range.toBytes());
    for (const name of sinks) {
      database.prepare('insert or replace into sink (name, next_idx) values (?, ?)').run(name, range.size);
    }
    for (const { sql } of indexes) database.exec(sql);
    database.exec('commit; analyze; pragma wal_checkpoint(truncate)');
  } finally {
    database.close();
  }
}

export async function fillPostgres(
  cluster: PostgresCluster,
  database: string,
  history: History,
): Promise<void> {
  const query = (sql: string) => cluster.query(sql, database);
  const indexes = await query(
    "select indexname, indexdef from pg_indexes where tablename in ('certificate', 'log_entry') and indexname not in (select conname from pg_constraint)",
  );
  for (const { indexname } of indexes) await query(`drop index ${String(indexname)}`);
  const now = Date.now();
  const [head] = await query('select size::int as size, hashes from log_head');
  const from = head!['size'] as number;
  const range = CompactRange.restore(from, head!['hashes'] as Uint8Array);
  const copy = (table: string, columns: readonly string[]) => new Copy(cluster, database, table, columns);
  const device = copy('device', deviceColumns);
  for (const row of devices(history, now)) await device.write(row);
  await device.end();
  const [entry, node] = [copy('log_entry', entryColumns), copy('log_hash', hashColumns)];
  for (const { entry: row, hashes } of entries(history, range)) {
    await entry.write(row);
    for (const each of hashes) await node.write(each);
  }
  await Promise.all([entry.end(), node.end()]);
  const certificate = copy('certificate', certificateColumns);
  for (const row of certificates(history, issuer, from, now)) await certificate.write(row);
  await certificate.end();
  await query(
    `update log_head set size = ${range.size}, hashes = '\\x${Buffer.from(range.toBytes()).toString('hex')}'`,
  );
  for (const name of sinks) {
    await query(
      `insert into sink (name, next_idx) values ('${name}', ${range.size}) on conflict (name) do update set next_idx = excluded.next_idx`,
    );
  }
  for (const { indexdef } of indexes) await query(String(indexdef));
  await query('vacuum analyze');
  await query('checkpoint');
}

/** PostgreSQL's COPY, by its own client. */
class Copy {
  readonly #psql: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #waiting: string[] = [];

  constructor(cluster: PostgresCluster, database: string, table: string, columns: readonly string[]) {
    const { host, port, user } = cluster.address;
    const programs = findClient('postgresql');
    if ('skip' in programs) throw new Error(programs.skip);
    this.#psql = spawn(
      path.join(programs.path, 'psql'),
      [
        '-h',
        host,
        '-p',
        String(port),
        '-U',
        user,
        '-d',
        database,
        '-q',
        '-c',
        `copy ${table} (${columns.join(', ')}) from stdin`,
      ],
      { stdio: ['pipe', 'inherit', 'inherit'] },
    );
    this.#ended = once(this.#psql, 'exit');
  }

  async write(row: Row): Promise<void> {
    this.#waiting.push(row.map(textOf).join('\t'));
    if (this.#waiting.length === 1000) await this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    this.#psql.stdin!.end();
    const [code] = await this.#ended;
    if (code !== 0) throw new Error(`psql ended with ${String(code)}`);
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const text = `${this.#waiting.join('\n')}\n`;
    this.#waiting = [];
    if (!this.#psql.stdin!.write(text)) await once(this.#psql.stdin!, 'drain');
  }
}

function textOf(value: Value): string {
  if (value === null) return '\\N';
  return value instanceof Uint8Array ? `\\\\x${Buffer.from(value).toString('hex')}` : String(value);
}
