import { globSync } from 'node:fs';
import { after, test } from 'node:test';
import { findClient } from '../../../test/clients.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { storesAre } from '../storage.fixture.ts';
import { postgresStores, upgradedDatabase } from './postgres.fixture.ts';

/** What every store does, tested on PostgreSQL by the tests that SQLite has to pass. */
const postgresql = findClient('postgresql');
if ('skip' in postgresql) {
  test('the stores on PostgreSQL', (t) => t.skip(postgresql.skip));
} else {
  const ends: (() => Promise<void> | void)[] = [];
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  const cluster = await PostgresCluster.start(postgresql.path, { after: (end) => ends.push(end) });
  const upgraded = await upgradedDatabase(cluster);
  storesAre((t) => postgresStores(t, cluster, upgraded), { sequences: 30 });
  const suites = globSync('../{operations/*,authority-model,rate-sweep}.test.ts', {
    cwd: import.meta.dirname,
  });
  for (const file of suites) await import(new URL(file, import.meta.url).href);
}
