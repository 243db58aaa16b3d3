import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { findClient } from '../clients.ts';
import { sallyport, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { transactionPooler } from '../harness/pooler.ts';
import { postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { TestDevice } from '../harness/test-device.ts';

const [postgresql, pgbouncer] = [findClient('postgresql'), findClient('pgbouncer')];
const skip = 'skip' in postgresql ? postgresql.skip : 'skip' in pgbouncer ? pgbouncer.skip : false;
const cleanup = suiteCleanup();

test(
  'an authority works behind a pooler that gives each transaction another connection',
  { skip },
  async () => {
    if ('skip' in postgresql || 'skip' in pgbouncer) return;
    const cluster = await PostgresCluster.start(postgresql.path, cleanup);
    const files = await postgresAuthority(cleanup, cluster);
    const pooler = await transactionPooler(pgbouncer.path, cleanup, cluster);
    const yaml = await readFile(files.configuration, 'utf8');
    const behind = yaml
      .replace(`host: ${cluster.address.host}`, `host: ${pooler.host}\n    preparedStatements: false`)
      .replace('port: 5432', `port: ${pooler.port}`);
    await writeFile(files.configuration, behind);
    const authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());

    const devices = await Promise.all(
      Array.from({ length: 12 }, (_, at) => TestDevice.expected(authority, `laptop-${at}`)),
    );
    const answers = await Promise.all(devices.map((device) => device.enroll()));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const renewed = await Promise.all(devices.map((device) => device.renew()));
    assert.deepEqual(new Set(renewed.map(({ status }) => status)), new Set([200]));
    const verified = await sallyport('log', 'verify', '--json', '--config', files.configuration);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  },
);
