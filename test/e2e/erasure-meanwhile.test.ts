import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { before, describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import { type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { databaseOf, postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { TestDevice } from '../harness/test-device.ts';

const postgresql = findClient('postgresql');

/** A request is observed, its device is erased, and then the request is recorded. */
describe(
  'a device that asks while it is erased',
  { skip: 'skip' in postgresql ? postgresql.skip : false },
  () => {
    const cleanup = suiteCleanup();
    let cluster: PostgresCluster;
    let node: ServedAuthority;
    let database: string;
    before(async () => {
      if (!('path' in postgresql)) return;
      cluster = await PostgresCluster.start(postgresql.path, cleanup);
      const files = await postgresAuthority(cleanup, cluster);
      database = await databaseOf(files);
      node = await serveAuthority(files, {}, { quiet: true });
      cleanup.after(() => node.stop('SIGKILL'));
    });

    test('leaves its name in no entry', async () => {
      const { client } = node.admin;
      const device = await TestDevice.enrolled(node, 'ida-laptop');
      await client.perform('retireDevice', { id: 'ida-laptop' });
      // Who writes waits, and who reads does not.
      const held = cluster.query(
        'begin; select 1 from log_head for update; select pg_sleep(3); commit',
        database,
      );
      await setTimeout(500);
      const erased = client.perform('eraseDevice', { id: 'ida-laptop' });
      await setTimeout(1000);
      const answer = await device.renew();
      assert.notEqual(answer.status, 200);
      await held;
      // What it asked names it by the certificate that it has still, and is what is left of the device now.
      await client.perform('eraseDevice', { id: (await erased).as });
      const naming = (await entriesOf(node)).filter((entry) => JSON.stringify(entry).includes('ida-laptop'));
      assert.deepEqual(
        naming.map((entry) => JSON.stringify(entry).slice(0, 300)),
        [],
      );
    });
  },
);
