import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import type { EnrollmentStore } from '#enrollment';
import { findClient } from '../../../test/clients.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';
import { PostgresCluster } from '../../../test/harness/postgres-cluster.ts';
import { device, entry, importDevices, mac, now } from '../storage.fixture.ts';
import { postgresNodes, upgradedDatabase } from './postgres.fixture.ts';

const postgresql = findClient('postgresql');
suite('activations over several nodes', { skip: 'skip' in postgresql ? postgresql.skip : false }, () => {
  if ('skip' in postgresql) return;
  const cleanup = suiteCleanup();
  let cluster: PostgresCluster;
  let upgraded: string;
  before(async () => {
    cluster = await PostgresCluster.start(postgresql.path, cleanup);
    upgraded = await upgradedDatabase(cluster);
  });
  const give = async (enrollment: EnrollmentStore, name: string) =>
    enrollment.giveActivation({
      deviceId: 'd1',
      mac: mac(name),
      macKeyId: 'k1',
      template: 'ak',
      source: '192.0.2.1',
      spki: Uint8Array.of(1),
      examination: { sha256: 'aa', format: 'endorsement', fault: null, certificates: [], statement: null },
      message: Uint8Array.of(2),
      expiresAt: now + 60_000,
      entry: entry(name),
    });

  test('one node gets what two ask for at once', async (t) => {
    const [one, other] = postgresNodes(t, cluster, upgraded);
    await importDevices(one.admin, device('d1'));
    for (let round = 0; round < 100; round += 1) {
      await give(one.enrollment, `${round}`);
      const query = { macs: [mac('under an older key'), mac(`${round}`)], template: 'ak' };
      // Neither has always the first word.
      const nodes = round % 2 === 0 ? [one, other] : [other, one];
      const taken = await Promise.all(nodes.map(({ enrollment }) => enrollment.takeActivation(query)));
      assert.equal(taken.filter((each) => each !== null).length, 1, `round ${round}`);
    }
  });

  test('a device has no more of them than on one node', async (t) => {
    const [one, other] = postgresNodes(t, cluster, upgraded);
    await importDevices(one.admin, device('d1'));
    const names = Array.from({ length: 100 }, (_, at) => `${at}`);
    await Promise.all(names.map((name, at) => give((at % 2 === 0 ? one : other).enrollment, name)));
    const taken = await Promise.all(
      names.map((name) => one.enrollment.takeActivation({ macs: [mac(name)], template: 'ak' })),
    );
    assert.equal(taken.filter((each) => each !== null).length, 64);
  });
});
