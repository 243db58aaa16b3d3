import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import { sallyport, serveAuthority } from '../harness/authority.ts';
import { call, withApi } from '../harness/api.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { handshake, issuedFor, loopback, replaceListenerKey } from '../harness/issued-listener.ts';
import { anotherNode, postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';

const postgresql = findClient('postgresql');

describe(
  'listeners of several nodes with certificates of their own authority',
  { skip: 'skip' in postgresql ? postgresql.skip : false },
  () => {
    const cleanup = suiteCleanup();

    test('have one each, of keys of their own: what one node replaces is no other one’s', async () => {
      if (!('path' in postgresql)) return;
      const cluster = await PostgresCluster.start(postgresql.path, cleanup);
      const files = await postgresAuthority(cleanup, cluster, (yaml) => issuedFor(loopback)(withApi(yaml)));
      const [one, other] = [files, await anotherNode(files, 'node-2')];
      await replaceListenerKey(other);
      const first = await serveAuthority(one, {}, { quiet: true });
      cleanup.after(() => first.stop());
      const second = await serveAuthority(other, {}, { quiet: true });
      cleanup.after(() => second.stop());
      const serials = async () =>
        Promise.all([first, second].map(async (node) => (await handshake(node)).certificate.serialNumber));
      const before = await serials();
      assert.equal(new Set(before).size, 2);
      // TLS is verified by the client of the API.
      for (const node of [first, second]) assert.equal((await call(node, '/v1/secrets')).status, 401);

      await replaceListenerKey(other);
      second.process.kill('SIGHUP');
      await second.said(/read again/);
      const after = await serials();
      assert.equal(after[0], before[0]);
      assert.notEqual(after[1], before[1]);
      const issued = (await entriesOf(first)).filter(({ event }) => event === 'listener.issued');
      assert.deepEqual(
        issued.map(({ detail }) => {
          const { node, listener, replaced } = detail as {
            node: string;
            listener: string;
            replaced: object[];
          };
          return [node, listener, replaced.length];
        }),
        [
          ['node-1', 'api', 0],
          ['node-1', 'enroll', 0],
          ['node-2', 'api', 0],
          ['node-2', 'enroll', 0],
          ['node-2', 'api', 1],
          ['node-2', 'enroll', 1],
        ],
      );
      await second.stop();
      await first.stop();
      const { code, stdout } = await sallyport('log', 'verify', '--json', '--config', one.configuration);
      assert.equal(code, 0, stdout);
    });
  },
);
