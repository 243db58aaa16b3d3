import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import { sallyport, type ServedAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { databaseOf, twoNodes } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { TestDevice } from '../harness/test-device.ts';

const postgresql = findClient('postgresql');

describe(
  'a long list of devices on PostgreSQL',
  { skip: 'skip' in postgresql ? postgresql.skip : false },
  () => {
    const cleanup = suiteCleanup();
    let cluster: PostgresCluster;
    let one: ServedAuthority;
    let two: ServedAuthority;
    before(async () => {
      if (!('path' in postgresql)) return;
      cluster = await PostgresCluster.start(postgresql.path, cleanup);
      [one, two] = await twoNodes(cleanup, cluster);
    });

    const importList = async (name: string, count: number, node: ServedAuthority) => {
      const file = path.join(one.directory, `${name}.csv`);
      const rows = Array.from({ length: count }, (_, at) => `${name}-${at},laptop,S-${name}-${at}\n`);
      await writeFile(file, `id,class,serial_number\n${rows.join('')}`);
      const words = [
        'device',
        'import',
        file,
        '--json',
        '--approve-for',
        'device',
        '--config',
        node.configuration,
      ];
      return sallyport(...words);
    };
    const countOf = async (name: string) => {
      const sql = `select count(*)::int as found from device where id like '${name}-%'`;
      const [row] = await cluster.query(sql, await databaseOf(one));
      return row!['found'] as number;
    };

    test('lets devices enroll on both nodes while it is imported', async () => {
      const devices: TestDevice[] = [];
      for (let at = 0; at < 6; at += 1) devices.push(await TestDevice.expected(one, `laptop-${at}`));
      let done = false;
      const importing = importList('sensor', 12_000, one).finally(() => (done = true));
      while ((await countOf('sensor')) === 0) assert.equal(done, false);
      const answers = await Promise.all(
        devices.map(async (device, at) => {
          const { status } = await device.enroll({ est: at % 2 === 0 ? one.est : two.est });
          return { status, during: (await countOf('sensor')) < 12_000 };
        }),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        answers.map(() => 200),
      );
      assert.ok(answers.some(({ during }) => during));
      const { code, stdout, stderr } = await importing;
      assert.equal(code, 0, stderr);
      const report = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual(
        [report['imported'], report['devices'], report['created'], report['approvals']],
        [true, 12_000, 12_000, 12_000],
      );
    });

    test('that a crash breaks off is finished by the same list on the other node', async () => {
      const importing = importList('camera', 12_000, one);
      while ((await countOf('camera')) < 2_000) await new Promise((resolve) => setTimeout(resolve, 10));
      await one.stop('SIGKILL');
      const { code, stdout, stderr } = await importing;
      assert.deepEqual([code, stdout], [4, '']);
      assert.match(
        stderr,
        /gave no answer: some of the devices may be imported\. Import the same list again/,
      );
      const there = await countOf('camera');
      assert.ok(there < 12_000 && there % 1_000 === 0, String(there));
      const again = await importList('camera', 12_000, two);
      assert.equal(again.code, 0, again.stderr);
      const report = JSON.parse(again.stdout) as Record<string, unknown>;
      assert.deepEqual([report['created'], report['updated']], [12_000 - there, there]);
      const { stdout: verified } = await sallyport('log', 'verify', '--json', '--config', two.configuration);
      assert.equal((JSON.parse(verified) as { ok: boolean }).ok, true, verified);
    });
  },
);
