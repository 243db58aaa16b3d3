import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { findClient } from '../clients.ts';
import { sallyport, sallyportHere, type ServedAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { anotherNode, initForPostgres, twoNodes } from '../harness/postgres-authority.ts';
import { PostgresCluster } from '../harness/postgres-cluster.ts';
import { publicDocument } from '../harness/public-document.ts';
import { TestDevice } from '../harness/test-device.ts';

const postgresql = findClient('postgresql');

describe('an authority on PostgreSQL', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  let one: ServedAuthority;
  let two: ServedAuthority;
  before(async () => {
    if (!('path' in postgresql)) return;
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
    [one, two] = await twoNodes(cleanup, cluster);
  });

  const verify = async ({ configuration }: ServedAuthority) => {
    const { stdout } = await sallyport('log', 'verify', '--json', '--config', configuration);
    return JSON.parse(stdout) as { ok: boolean; size: number; certificates: number };
  };

  test('enrolls on one node with a secret from the other, and renews on the first again', async () => {
    const device = await TestDevice.expected(one, 'laptop-1');
    const enrolled = await device.enroll({ est: two.est });
    assert.equal(enrolled.status, 200, enrolled.text);
    assert.equal((await device.renew()).status, 200);
    assert.equal(
      (await two.admin.client.perform('listCertificates', { device: 'laptop-1' })).items.length,
      2,
    );
    assert.deepEqual((await verify(two)).ok, true);
  });

  test('gives one certificate for a secret that both nodes are asked for at once with two keys', async () => {
    for (let round = 0; round < 5; round += 1) {
      const device = await TestDevice.expected(one, `raced-${round}`);
      const thief = await TestDevice.expected(two, `thief-${round}`);
      const answers = await Promise.all(
        [one.est, two.est, one.est, two.est].map((est, at) =>
          device.enroll({ est, ...(at < 2 ? {} : { key: thief.key }) }),
        ),
      );
      const certificates = new Set(
        answers.flatMap(({ certificates }) => certificates.map((der) => Buffer.from(der).toString('hex'))),
      );
      assert.equal(certificates.size, 1, answers.map(({ status }) => status).join());
    }
  });

  test('holds on one node, is approved on the other, and the first delivers', async () => {
    const device = await TestDevice.unapproved(one, 'laptop-2');
    assert.equal((await device.enroll()).status, 202);
    const { items } = await two.admin.client.perform('listRequests', { state: 'pending' });
    await two.admin.client.perform('approveRequest', { id: items[0]!.id });
    assert.equal((await device.enroll()).status, 200);
  });

  test('revokes on one node, and both serve the CRL that says so', async () => {
    const device = await TestDevice.enrolled(one, 'laptop-3');
    const { items } = await one.admin.client.perform('listCertificates', { device: device.id });
    await two.admin.client.perform('revokeCertificate', {
      id: items[0]!.sha256,
      reason: 'keyCompromise',
    });
    const renewal = await device.renew();
    assert.equal(renewal.status, 403);
    const lists = await Promise.all(
      [one, two].map(async (node) => (await publicDocument(node, '/crl/issuing.crl')).body),
    );
    assert.deepEqual(lists[0], lists[1]);
    assert.ok(lists[0]!.includes(Buffer.from(items[0]!.serialNumber, 'hex')));
  });

  test('counts the requests of one source on both nodes together', async () => {
    const device = await TestDevice.expected(one, 'laptop-4');
    // `init` gives a device five at once.
    const statuses: number[] = [];
    assert.equal((await device.enroll()).status, 200);
    for (let at = 0; at < 6; at += 1) {
      const answer = await device.renew({ est: at % 2 === 0 ? one.est : two.est });
      statuses.push(answer.status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 429, 429]);
  });

  test('keeps one log, which tells the nodes apart only where they start and end', async () => {
    const entries = await requestEntriesOf(two);
    const { ok, size, certificates } = await verify(one);
    assert.equal(ok, true);
    assert.ok(size > entries.length);
    assert.equal(certificates, entries.filter(({ outcome }) => outcome === 'issued').length);
  });

  test('has one process of a name', async () => {
    const copied = await anotherNode(one, 'node-1');
    const { code, stderr } = await sallyportHere('serve', '--json', '--config', copied.configuration);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /another process serves as node node-1/);
  });

  test('says on each node where another one judges otherwise', async () => {
    const status = async () => {
      const { code, stdout } = await sallyportHere('status', '--json', '--config', one.configuration);
      return { code, ...(JSON.parse(stdout) as { nodes: unknown; concerns: string[] }) };
    };
    assert.deepEqual((await status()).nodes, [{ name: 'node-2', differs: [] }]);
    const yaml = await readFile(two.configuration, 'utf8');
    const settings = parse(yaml) as { deviceClasses: Record<string, { attestation: string }> };
    settings.deviceClasses['laptop']!.attestation = 'required';
    await writeFile(two.configuration, stringify(settings, { aliasDuplicateObjects: false }));
    two.process.kill('SIGHUP');
    await two.said(/nodes: .*node node-1 judges otherwise: deviceClasses\.laptop/);
    await one.said(/nodes: .*node node-2 judges otherwise: deviceClasses\.laptop/);
    const differing = await status();
    assert.equal(differing.code, 1);
    assert.deepEqual(differing.nodes, [{ name: 'node-2', differs: ['deviceClasses.laptop'] }]);
    await writeFile(two.configuration, yaml);
    two.process.kill('SIGHUP');
    await two.said(/configuration read again: deviceClasses/);
  });

  test('is not served from SQLite any more, nor moved twice', async () => {
    const files = await initForPostgres(cleanup, cluster);
    assert.equal((await sallyport('migrate', '--config', files.configuration)).code, 0);
    const again = await sallyport('migrate', '--config', files.configuration);
    assert.notEqual(again.code, 0);
  });
});
