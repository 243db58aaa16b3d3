import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import pg from 'pg';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { entry } from '../storage.fixture.ts';
import { type Call, countedMilliseconds, type Reply } from '../thread/messages.ts';
import { freshDatabase, upgradedDatabase } from './postgres.fixture.ts';
import { PostgresStore } from './postgres-store.ts';

const postgresql = findClient('postgresql');
suite('a batch on PostgreSQL', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  if ('skip' in postgresql) return;
  const cleanup = suiteCleanup();

  test('leaves out what was asked long ago: the process stood still, and nobody waits for it', async () => {
    const cluster = await PostgresCluster.start(postgresql.path, cleanup);
    const store = await PostgresStore.open(await freshDatabase(cluster, await upgradedDatabase(cluster)));
    cleanup.after(() => store.close());
    const record = (id: number, age: number): Call => ({
      id,
      name: 'record',
      argument: { entry: entry(`e${id}`) },
      askedAt: countedMilliseconds() - age,
    });
    const replies: Reply[] = [];
    await new Promise<void>((resolve) => {
      store.perform([record(1, 0), record(2, 15_100), record(3, 5_000)], (some) => {
        replies.push(...some);
        if (replies.length === 3) resolve();
      });
    });
    assert.deepEqual(
      replies.map((reply) => ('fault' in reply ? reply.fault.message : reply.value)),
      [{ index: 0 }, 'it came to its turn too late, and was not done', { index: 1 }],
    );
  });

  test('finds the head at once, also while somebody reads in an old snapshot', async () => {
    const cluster = await PostgresCluster.start(postgresql.path, cleanup);
    const options = await freshDatabase(cluster, await upgradedDatabase(cluster));
    const store = await PostgresStore.open(options);
    cleanup.after(() => store.close());
    const reader = new pg.Client({ ...cluster.address, database: options.database });
    await reader.connect();
    cleanup.after(() => reader.end());
    await reader.query('begin isolation level repeatable read read only');
    await reader.query('select size from log_head');
    const entries = 2000;
    const calls = Array.from({ length: entries }, (_, id): Call => {
      return { id, name: 'record', argument: { entry: entry(`e${id}`) }, askedAt: countedMilliseconds() };
    });
    let answered = 0;
    await new Promise<void>((resolve) => {
      store.perform(calls, (some) => {
        answered += some.length;
        if (answered === entries) resolve();
      });
    });
    const explain =
      'explain (analyze, buffers, format json) select size from log_head order by size desc limit 1';
    const [row] = await cluster.query(explain, options.database);
    const [plan] = row!['QUERY PLAN'] as [{ Plan: Record<string, number> }];
    // Each entry left a version of it that the reader may still want; 2,000 of them fill about 20 pages.
    assert.equal(plan.Plan['Actual Rows'], 1);
    assert.ok(plan.Plan['Shared Hit Blocks']! <= 5, JSON.stringify(plan));
  });
});
