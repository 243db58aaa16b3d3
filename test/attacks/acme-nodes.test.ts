import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { findClient } from '../clients.ts';
import { AcmeClient, type Json, orderCsr } from '../harness/acme-client.ts';
import { acmeSurroundings, type AcmeSurroundings, acmeYaml } from '../harness/acme-authority.ts';
import { assertObjected, assertRejected, typeOf } from '../harness/acme-answers.ts';
import { sallyport, type ServedAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { anotherNode, postgresAuthority } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';

const postgresql = findClient('postgresql');

describe('ACME played against two nodes', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  const cleanup = suiteCleanup();
  let surroundings: AcmeSurroundings;
  let one: ServedAuthority;
  let two: ServedAuthority;
  before(async () => {
    if (!('path' in postgresql)) return;
    const cluster = await PostgresCluster.start(postgresql.path, cleanup);
    surroundings = await acmeSurroundings(cleanup);
    const files = await postgresAuthority(cleanup, cluster, (yaml) => acmeYaml(yaml, surroundings));
    one = await serveAuthority(files);
    cleanup.after(() => one.stop());
    two = await serveAuthority(await anotherNode(files, 'node-2'));
    cleanup.after(() => two.stop());
  });
  let owners = 0;
  const eab = async (more: Json = {}) => {
    const device = `owner-${(owners += 1)}`;
    await one.admin.device(device);
    return one.admin.client.perform('createExternalAccountKey', {
      device,
      templates: ['web'],
      names: ['.example.org'],
      approve: true,
      ...more,
    });
  };
  const at = async (node: ServedAuthority, key?: AcmeClient['key']) => {
    const url = `${new URL(node.est).origin}/acme/web/directory`;
    const client = await AcmeClient.at(url, node.trustPem, ...(key === undefined ? [] : [key]));
    cleanup.after(() => client.close());
    return client;
  };
  /** One account, on both nodes. */
  const onBoth = async (more: Json = {}) => {
    const first = await at(one);
    const { status, text } = await first.register(await eab(more));
    assert.equal(status, 201, text);
    const second = await at(two, first.key);
    second.kid = first.kid!.replace(new URL(one.est).origin, new URL(two.est).origin);
    return [first, second] as const;
  };
  let hosts = 0;
  const newHost = () => {
    const name = `host-${(hosts += 1)}.example.org`;
    surroundings.dns.addresses(name, '127.0.0.1');
    return name;
  };
  const byHttp = ({ token, keyAuthorization }: { token: string; keyAuthorization: string }) => {
    surroundings.proofs.set(token, keyAuthorization);
  };
  const ready = async (client: AcmeClient, name: string) => {
    const ordered = await client.order([name]);
    assert.equal(ordered.status, 201, ordered.text);
    await client.prove(ordered.body, 'http-01', byHttp);
    return ordered.body;
  };
  /** The same resource as the other node names it. */
  const there = (order: Json, client: AcmeClient): Json => {
    const { origin } = new URL(client.directory['newOrder']!);
    return JSON.parse(JSON.stringify(order).replaceAll(/https:\/\/[^/"]+/g, origin)) as Json;
  };

  test('a nonce of one node is good on the other, once, and on neither again', async () => {
    const [first, second] = await onBoth();
    for (let round = 0; round < 5; round += 1) {
      const nonce = await first.nonce();
      assert.equal((await second.post(second.kid!, null, { nonce })).status, 200);
      for (const [client, node] of [
        [first, one],
        [second, two],
      ] as const) {
        await assertRejected(
          node,
          await client.post(client.kid!, null, { nonce }),
          'badNonce',
          /was used before/,
        );
      }
    }
    const nonce = await first.nonce();
    const answers = await Promise.all(
      [first, second].map((client) => client.post(client.kid!, null, { nonce })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((left, right) => left - right),
      [200, 400],
    );
  });

  test('a message for one node is none for the other', async () => {
    const [first, second] = await onBoth();
    const answer = await second.post(second.kid!, null, { url: first.kid!, kid: first.kid! });
    await assertRejected(two, answer, 'unauthorized', /was signed for/);
    const kid = await second.post(second.kid!, null, { kid: first.kid! });
    await assertRejected(two, kid, 'accountDoesNotExist', /no account is/);
  });

  test('one external account key, spent on both at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const given = await eab();
      const clients = await Promise.all([at(one), at(two), at(one), at(two)]);
      const answers = await Promise.all(clients.map((client) => client.register(given)));
      const refused = answers.filter(({ status }) => status !== 201);
      assert.deepEqual(
        refused.map(({ body }) => typeOf(body)),
        ['unauthorized', 'unauthorized', 'unauthorized'],
      );
    }
  });

  test('one order, finalized on both at once: one certificate', async () => {
    const [first, second] = await onBoth();
    for (let round = 0; round < 5; round += 1) {
      const name = newHost();
      const order = await ready(first, name);
      await Promise.all([
        first.finalize(order, orderCsr([name])),
        second.finalize(there(order, second), orderCsr([name])),
      ]);
    }
    const { items } = await one.admin.client.perform('listCertificates', { device: `owner-${owners}` });
    assert.equal(items.length, 5);
  });

  test('more sets of names than were given, on both at once', async () => {
    const [first, second] = await onBoth({ maximumCertificates: 1 });
    for (let round = 0; round < 3; round += 1) {
      const names = [newHost(), newHost()];
      const orders = [await ready(first, names[0]!), await ready(first, names[1]!)];
      const answers = await Promise.all([
        first.finalize(orders[0]!, orderCsr([names[0]!])),
        second.finalize(there(orders[1]!, second), orderCsr([names[1]!])),
      ]);
      const valid = answers.filter(({ body }) => body['status'] === 'valid');
      assert.equal(valid.length, round === 0 ? 1 : 0, answers.map(({ text }) => text).join('\n'));
      const refused = answers.find(({ body }) => body['status'] !== 'valid')!;
      await assertObjected(one, refused, 'unauthorized', ['account-count']);
    }
  });

  test('an account that was revoked on one node has no power on the other', async () => {
    const [first, second] = await onBoth();
    const name = newHost();
    const order = await ready(first, name);
    const id = first.kid!.split('/').at(-1)!;
    await one.admin.client.perform('revokeAccount', { id });
    const answer = await second.finalize(there(order, second), orderCsr([name]));
    await assertRejected(two, answer, 'unauthorized', /is revoked/);
  });

  test('the log verifies', async () => {
    const { stdout } = await sallyport('log', 'verify', '--json', '--config', one.configuration);
    assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true, stdout);
  });
});
