import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ada, assertRefused, openWorld, refusedWith } from '../admin.fixture.ts';

suite('device states', () => {
  test('suspend, resume, retire; retiring is for good', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const change = async (name: 'suspendDevice' | 'resumeDevice' | 'retireDevice') =>
      (await world.admin.perform(name, ada, { id: 'laptop-7' })).state;
    assert.equal(await change('suspendDevice'), 'suspended');
    await assertRefused(world, 'suspendDevice', { id: 'laptop-7' }, refusedWith('conflict', /suspended/));
    assert.equal(await change('resumeDevice'), 'active');
    assert.equal(await change('retireDevice'), 'retired');
    for (const name of ['suspendDevice', 'resumeDevice', 'retireDevice'] as const) {
      await assertRefused(world, name, { id: 'laptop-7' }, refusedWith('conflict', /retired/));
    }
  });

  test('an approval beforehand is for an expected or active device and a template of its class', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const approve = { id: 'laptop-7', template: 'device' };
    const approval = await world.admin.perform('approveDevice', ada, approve);
    assert.equal(approval.expiresAt, new Date(world.now + 7_200_000).toISOString());
    assert.equal((await world.approval('laptop-7', 'device'))?.by, 'ada');
    await assertRefused(
      world,
      'approveDevice',
      { ...approve, template: 'iot' },
      refusedWith('forbidden', /laptop/),
    );
    await assertRefused(world, 'approveDevice', { ...approve, id: 'nobody' }, refusedWith('not-found'));
    await world.admin.perform('suspendDevice', ada, { id: 'laptop-7' });
    await assertRefused(world, 'approveDevice', approve, refusedWith('conflict', /suspended/));
  });
});
