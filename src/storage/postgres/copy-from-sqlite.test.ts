import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { blobOf } from '#audit';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { Connection } from '../sqlite/connection.ts';
import { createSqlite } from '../sqlite/create-sqlite.ts';
import { openSqlite } from '../sqlite/open-sqlite.ts';
import {
  createAccount,
  createExternalAccountKey,
  createOrder,
  device,
  entry,
  importDevices,
  newExternalAccountKey,
  now,
  origin,
} from '../storage.fixture.ts';
import { copiedTables } from '../tables.ts';
import { backUpPostgres } from './back-up-postgres.ts';
import { assertEmptyPostgres, copyFromSqlite } from './copy-from-sqlite.ts';
import { freshDatabase } from './postgres.fixture.ts';

const postgresql = findClient('postgresql');
const conflict = { code: 'conflict' };

describe('copying to PostgreSQL', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  let folder: string;
  let file: string;
  const append = async (id: string, octets: number) => {
    const storage = await openSqlite({ file, origin });
    const blobs = [blobOf(Buffer.alloc(16, 1), Buffer.alloc(octets, id))];
    await storage.enrollment.record({ ...entry(id), blobs });
    await storage.close();
  };
  before(async () => {
    if ('skip' in postgresql) return;
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
    folder = await mkdtemp(path.join(tmpdir(), 'sallyport-copy-'));
    cleanup.after(() => rm(folder, { recursive: true }));
    file = path.join(folder, 'sallyport.db');
    await (await createSqlite({ file, origin })).close();
    for (const id of ['a', 'b', 'c']) await append(id, 9 * 1024 * 1024);
  });

  test('sends large rows a few at a time, and reads them back so', async () => {
    const settings = await freshDatabase(cluster);
    await assertEmptyPostgres(settings);
    const steps: number[] = [];
    await copyFromSqlite(file, settings, (table, rows) => {
      if (table === 'blob') steps.push(rows);
    });
    assert.deepEqual(steps, [2, 3]);
    const back = path.join(folder, 'back.db');
    await backUpPostgres(settings, back);
    const read = Connection.openReader(back);
    assert.equal(read.count('blob'), 3);
    read.close();
  });

  test('is done already where the same log is there, and a conflict where it has grown or is another', async () => {
    const settings = await freshDatabase(cluster);
    const counts = await copyFromSqlite(file, settings);
    assert.deepEqual(await copyFromSqlite(file, settings), counts);
    await append('d', 1);
    await assert.rejects(copyFromSqlite(file, settings), conflict);
    await assert.rejects(assertEmptyPostgres(settings), conflict);
  });

  test('takes accounts, orders and what they prove along, sealed keys and nonces too, and back', async () => {
    const settings = await freshDatabase(cluster);
    const there = path.join(folder, 'acme.db');
    const storage = await createSqlite({ file: there, origin });
    const { admin, acme } = storage;
    await importDevices(admin, device('d1'));
    await createExternalAccountKey(admin, newExternalAccountKey('k1', 'd1', { names: ['.example.org'] }));
    await createAccount(acme, 'a1', 'k1');
    await createOrder(acme, 'o1', 'a1');
    await acme.useNonce(Buffer.alloc(16, 7), now);
    await storage.close();
    await copyFromSqlite(there, settings);
    const back = path.join(folder, 'acme-back.db');
    await backUpPostgres(settings, back);
    const [first, second] = [new DatabaseSync(there), new DatabaseSync(back)];
    for (const table of copiedTables.filter((name) => /^acme|^external/.test(name))) {
      const rows = (database: DatabaseSync) => database.prepare(`select * from ${table}`).all();
      assert.equal(rows(first).length, 1, table);
      assert.deepEqual(rows(second), rows(first), table);
    }
    for (const database of [first, second]) database.close();
  });

  test('is a conflict where the database holds anything else', async () => {
    const settings = await freshDatabase(cluster);
    await cluster.query('create table precious (id integer)', settings.database);
    await assert.rejects(assertEmptyPostgres(settings), conflict);
  });
});
