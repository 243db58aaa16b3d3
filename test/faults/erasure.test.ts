import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { sallyportHere } from '../harness/authority.ts';
import { assertNowhere } from '../harness/canary.ts';
import { entriesOf } from '../harness/entries.ts';
import { TestDevice } from '../harness/test-device.ts';
import { Arena } from './arena.ts';
import { erasurePoints } from './points.ts';
import { seeded } from './random.ts';
import { openCluster, postgresObstacle } from './scenarios/cluster.ts';
import type { Victim } from './victim.ts';

/** Behind these it has happened, whether or not anybody was told. */
const committed = new Set(erasurePoints.slice(erasurePoints.indexOf('eraseDevice:committed')));

async function verify({ files }: Victim): Promise<void> {
  const { code, stdout } = await sallyportHere('log', 'verify', '--json', '--config', files.configuration);
  assert.equal(code, 0, stdout);
}

/** kill -9 at the point. Afterwards all of the device is there, or nothing, and the log verifies. */
async function killAt(victim: Victim, point: string, id: string): Promise<void> {
  const served = victim.served ?? (await victim.start());
  const { client } = served.admin;
  const device = await TestDevice.enrolled(served, id);
  assert.equal((await device.renew()).status, 200);
  await client.perform('retireDevice', { id, remark: `of ${id}` });
  await victim.arm({ point, nth: 1, signal: 'SIGKILL' });
  await client.perform('eraseDevice', { id }).catch(() => undefined);
  assert.ok(await victim.ends(10_000), `${point} was not reached`);
  await victim.stop();
  await victim.disarm();

  const again = await victim.start();
  const erased = await again.admin.client.perform('showDevice', { id }).then(
    () => false,
    () => true,
  );
  assert.equal(erased, committed.has(point), point);
  await verify(victim);
  if (!erased) {
    const { entries, certificates } = await again.admin.client.perform('eraseDevice', { id });
    assert.deepEqual([certificates, entries > 4], [2, true]);
    await verify(victim);
  }
  assert.equal(JSON.stringify(await entriesOf(again)).includes(id), false, point);
}

test('kill -9 at each step of an erasure leaves all of the device, or nothing; on SQLite no byte of it is left then', async (t) => {
  const arena = await Arena.onSqlite(t, seeded('erasure'));
  for (const [at, point] of erasurePoints.entries()) {
    const id = `ida-whose-laptop-${at}`;
    await killAt(arena.node, point, id);
    const directory = path.join(arena.node.files.directory, 'data');
    await assertNowhere([Buffer.from(id)], { directory, faults: [], control: 'device.erase' });
  }
});

test('so it does on PostgreSQL', { skip: postgresObstacle() ?? false }, async (t) => {
  const arena = await Arena.onPostgres(t, seeded('erasure'), await openCluster(t));
  for (const [at, point] of erasurePoints.entries()) await killAt(arena.node, point, `ida-laptop-${at}`);
});
