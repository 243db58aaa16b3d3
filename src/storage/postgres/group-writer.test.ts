import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { entry } from '../storage.fixture.ts';
import { type Call, countedMilliseconds, type Reply } from '../thread/messages.ts';
import { freshDatabase } from './postgres.fixture.ts';
import { PostgresStore } from './postgres-store.ts';

const postgresql = findClient('postgresql');
suite('a batch on PostgreSQL', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  if ('skip' in postgresql) return;
  const cleanup = suiteCleanup();

  test('leaves out what was asked long ago: the process stood still, and nobody waits for it', async () => {
    const cluster = await PostgresCluster.start(postgresql.path, cleanup);
    const store = await PostgresStore.open(await freshDatabase(cluster));
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
});
