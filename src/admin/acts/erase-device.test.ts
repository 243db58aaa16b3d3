import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encodeEntry } from '#audit';
import { newEntry } from '#enrollment';
import { ada, assertRefused, openWorld, refusedWith, type World } from '../admin.fixture.ts';

async function withRetired(world: World): Promise<void> {
  await world.importDevice('laptop-7');
  await world.admin.perform('createSecret', ada, { device: 'laptop-7', template: 'device' });
  await world.admin.perform('retireDevice', ada, { id: 'laptop-7', remark: 'sold by ida' });
}

const suspended = (world: World, version: 1 | 2) => ({
  type: 'act',
  version,
  id: `A-${version}`,
  time: world.now,
  operator: 'ada',
  act: 'device.suspend',
  detail: { device: 'laptop-7' },
});

/** As an act of another operator, while one erases. */
const record = (world: World) =>
  world.storage.enrollment.record(newEntry(suspended(world, 2) as never, (n) => Buffer.alloc(n, 1)));

suite('erasing a device', () => {
  test('names the entries by their indexes, and the device nowhere', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-8');
    await withRetired(world);
    const erased = await world.admin.perform('eraseDevice', ada, { id: 'laptop-7' });
    assert.deepEqual([erased.entries, erased.certificates, erased.staying, erased.acts], [3, 0, 0, 1]);
    const { detail } = (await world.entry(erased.logIndex)) as { detail?: object };
    assert.deepEqual(detail, { as: erased.as, erased: [{ log: 'test.example/log', indexes: [[2, 4]] }] });
    assert.match(JSON.stringify(await world.entry(1)), /laptop-8/);
    for (const index of [2, 3, 4]) {
      assert.doesNotMatch(JSON.stringify(await world.entry(index)), /laptop-7|ida/);
    }
  });

  test('begins again for an entry of the device that comes meanwhile, and erases that as well', async (t) => {
    const world = await openWorld(t);
    await withRetired(world);
    const { eraseDevice } = world.storage.admin;
    const erasing = t.mock.method(world.storage.admin, 'eraseDevice', async (act: never) => {
      if (erasing.mock.callCount() < 2) await record(world);
      return eraseDevice(act);
    });
    const { entries } = await world.admin.perform('eraseDevice', ada, { id: 'laptop-7' });
    assert.deepEqual([erasing.mock.callCount(), entries], [3, 5]);
  });

  test('gives up where such entries do not end, and has erased nothing', async (t) => {
    const world = await openWorld(t);
    await withRetired(world);
    const { eraseDevice } = world.storage.admin;
    t.mock.method(world.storage.admin, 'eraseDevice', async (act: never) => {
      await record(world);
      return eraseDevice(act);
    });
    const perform = world.admin.perform('eraseDevice', ada, { id: 'laptop-7' });
    await assert.rejects(perform, refusedWith('conflict', /new entry of device laptop-7/));
    assert.match(JSON.stringify(await world.entry(1)), /laptop-7/);
  });

  test('is done for each of two devices of one list that are erased at once', async (t) => {
    const world = await openWorld(t);
    const list = JSON.stringify(['laptop-7', 'laptop-8'].map((id) => ({ id, class: 'laptop' })));
    await world.admin.perform('importDevices', ada, { format: 'json', list, approveFor: [] });
    for (const id of ['laptop-7', 'laptop-8']) await world.admin.perform('retireDevice', ada, { id });
    const erased = await Promise.all(
      ['laptop-7', 'laptop-8'].map((id) => world.admin.perform('eraseDevice', ada, { id })),
    );
    assert.equal(new Set(erased.map(({ as }) => as)).size, 2);
  });

  test('counts what names it in the tree itself, by entries of version 1, and leaves that', async (t) => {
    const world = await openWorld(t);
    await withRetired(world);
    const bytes = encodeEntry(suspended(world, 1));
    const { index } = await world.storage.enrollment.record({ bytes, blobs: [] });
    const { entries, staying } = await world.admin.perform('eraseDevice', ada, { id: 'laptop-7' });
    assert.deepEqual([entries, staying], [3, 1]);
    assert.match(JSON.stringify(await world.entry(index)), /laptop-7/);
  });

  test('is refused where one of its entries cannot be judged again', async (t) => {
    const world = await openWorld(t);
    await withRetired(world);
    await world.storage.enrollment.record(
      newEntry(
        {
          type: 'request',
          version: 2,
          id: 'R-1',
          time: world.now,
          certificate: null,
          error: null,
          observations: { device: { id: 'laptop-7' } },
          references: 'none',
          policies: 'none',
        } as never,
        (n) => Buffer.alloc(n, 2),
      ),
    );
    const refusal = refusedWith(
      'forbidden',
      /entry 4 does not verify, so nothing is erased: the references none/,
    );
    await assertRefused(world, 'eraseDevice', { id: 'laptop-7' }, refusal);
  });
});
