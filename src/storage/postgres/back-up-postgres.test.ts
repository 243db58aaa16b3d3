import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { backUpPostgres } from './back-up-postgres.ts';
import { freshDatabase, upgradedDatabase } from './postgres.fixture.ts';

const postgresql = findClient('postgresql');

describe('a backup of PostgreSQL', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  let folder: string;
  before(async () => {
    if ('skip' in postgresql) return;
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
    folder = await mkdtemp(path.join(tmpdir(), 'sallyport-backup-'));
    cleanup.after(() => rm(folder, { recursive: true }));
  });

  /** Forty rows of which each takes 0.4 s to be found: sixteen at a time are read in time, and all are counted in 16 s. */
  test('counts a table of which the disk needs longer than any part of it takes to be read', async () => {
    const settings = await freshDatabase(cluster, await upgradedDatabase(cluster));
    await cluster.query(
      `alter table operator rename to operator_kept;
      insert into operator_kept select 'operator-' || n, int4send(n), 0 from generate_series(1, 40) as n;
      create view operator as select * from operator_kept where pg_sleep(0.4) is not null`,
      settings.database,
    );
    await backUpPostgres(settings, path.join(folder, 'back.db'));
  });
});
