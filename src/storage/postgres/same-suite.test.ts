import { globSync } from 'node:fs';
import { before, suite } from 'node:test';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { storesAre } from '../storage.fixture.ts';
import { postgresStores, upgradedDatabase } from './postgres.fixture.ts';

/** What every store does, tested on PostgreSQL by the tests that SQLite has to pass. */
const postgresql = findClient('postgresql');
suite('on PostgreSQL', { skip: 'skip' in postgresql ? postgresql.skip : false }, async () => {
  if ('skip' in postgresql) return;
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  let upgraded: string;
  before(async () => {
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
    upgraded = await upgradedDatabase(cluster);
  });
  storesAre((t) => postgresStores(t, cluster, upgraded), { sequences: 30 });
  const suites = globSync('../{operations/*,authority-model,rate-sweep}.test.ts', {
    cwd: import.meta.dirname,
  });
  for (const file of suites) await import(new URL(file, import.meta.url).href);
});
