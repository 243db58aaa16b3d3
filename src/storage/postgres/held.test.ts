import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import pg from 'pg';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { devicesOfVersion14, known, knownAfterwards } from '../endorsed-before.fixture.ts';
import { migrations } from '../migration.ts';
import { device, importDevices, now, origin, wide } from '../storage.fixture.ts';
import { beginAdmission } from './admissions.ts';
import { freshDatabase, postgresStores, upgradedDatabase } from './postgres.fixture.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { PreparedStatements, Sessions } from './session.ts';
import { upgrade } from './upgrade.ts';

const postgresql = findClient('postgresql');

/** Another node, or a command, that has something of the database and keeps it. */
suite('what others hold', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  before(async () => {
    if ('path' in postgresql) cluster = await PostgresCluster.start(postgresql.path, cleanup);
  });

  async function connect({ host, port, user, database }: Omit<PostgresSettings, 'password'>) {
    const client = new pg.Client({ host, port, user, database });
    client.on('error', () => undefined);
    await client.connect();
    cleanup.after(() => client.end().catch(() => undefined));
    return client;
  }

  test('an upgrade waits for a reader a moment at a time, and writers write in between', async () => {
    const options = await freshDatabase(cluster);
    const sessions = new Sessions(options, 1, new PreparedStatements(options));
    cleanup.after(() => sessions.close());
    await sessions.with((session) => upgrade(session, null, migrations.slice(0, 3)));
    const [writer, reader] = [await connect(options), await connect(options)];
    await writer.query(`insert into log_head values (1, '${origin}', 0, '')`);
    await reader.query('begin isolation level repeatable read read only');
    await reader.query('select size from log_head');
    let pauses = 0;
    await sessions.with((session) =>
      upgrade(session, origin, migrations, async () => {
        pauses += 1;
        await writer.query("begin; set local lock_timeout = '1s'; select 1 from log_head for update; commit");
        await reader.query('rollback');
      }),
    );
    assert.equal(pauses, 1);
  });

  test('an upgrade of version 14 makes devices known by the endorsement keys that they were imported with', async () => {
    const options = await freshDatabase(cluster);
    const sessions = new Sessions(options, 1, new PreparedStatements(options));
    cleanup.after(() => sessions.close());
    const found = await sessions.with(async (session) => {
      await upgrade(session, null, migrations.slice(0, 14));
      await session.control(devicesOfVersion14.join(';'));
      await upgrade(session, null);
      return session.perform(known());
    });
    assert.deepEqual(found, knownAfterwards);
  });

  test('an upgrade of what is newest waits for nobody', async () => {
    const options = await freshDatabase(cluster, await upgradedDatabase(cluster));
    const reader = await connect(options);
    await reader.query('begin; lock table log_head, migration in row share mode');
    const sessions = new Sessions(options, 1, new PreparedStatements(options));
    cleanup.after(() => sessions.close());
    await sessions.with((session) => upgrade(session, origin, migrations, () => assert.fail('waited')));
  });

  test('a source that another node has is not admitted, and every other is', async (t) => {
    const database = await upgradedDatabase(cluster);
    const { admin, enrollment } = postgresStores(t, cluster, database);
    await importDevices(admin, device('d1'));
    const admit = (sourceKey: string) => enrollment.admit({ sourceKey, limit: wide, now });
    await admit('192.0.2.1');
    const [{ datname } = {}] = await cluster.query(
      "select datname from pg_stat_activity where application_name = 'sallyport' and datname is not null order by backend_start desc limit 1",
    );
    const other = await connect({ ...(await freshDatabase(cluster)), database: datname as string });
    const hold = "select pg_advisory_xact_lock(hashtextextended('192.0.2.1', 0))";

    // Without a limit of its own, as no node is.
    await other.query('begin');
    await other.query(hold);
    const waiting = Promise.allSettled(Array.from({ length: 40 }, () => admit('192.0.2.1')));
    await Promise.all(Array.from({ length: 8 }, (_, at) => admit(`198.51.100.${at}`)));
    assert.equal((await admin.device('d1'))?.id, 'd1');
    const [backends] = await cluster.query(
      `select count(*)::int as n from pg_stat_activity where datname = '${String(datname)}' and wait_event = 'advisory'`,
    );
    assert.equal(backends!['n'], 1);
    const codes = (await waiting).map((each) => (each.status === 'rejected' ? each.reason.code : 'admitted'));
    assert.deepEqual(new Set(codes), new Set(['store']));
    await other.query('rollback');

    // As a node is that stands still.
    await other.query(beginAdmission);
    await other.query(hold);
    assert.notEqual((await admit('192.0.2.1')).tat, null);
  });
});
