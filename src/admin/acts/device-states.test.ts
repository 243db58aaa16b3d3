import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ada, assertRefused, detailOf, openWorld, refusedWith } from '../admin.fixture.ts';

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
    assert.deepEqual(approval.lifts, ['class-approval', 'enrollment-again', 'first-enrollment']);
    const named = ['renewal-lineage', 'attestation-rollback', 'renewal-lineage'] as const;
    const { lifts, logIndex } = await world.admin.perform('approveDevice', ada, {
      ...approve,
      lifts: [...named],
    });
    assert.deepEqual(lifts, ['attestation-rollback', 'renewal-lineage']);
    assert.deepEqual((await world.approval('laptop-7', 'device'))?.lifts, lifts);
    assert.deepEqual((await detailOf(world, logIndex))['lifts'], lifts);
    for (const none of [[], ['renewal-window'], ['key-strength']]) {
      await assertRefused(world, 'approveDevice', { ...approve, lifts: none as never }, refusedWith('usage'));
    }
    await assertRefused(world, 'approveDevice', { ...approve, id: 'nobody' }, refusedWith('not-found'));
    await world.admin.perform('suspendDevice', ada, { id: 'laptop-7' });
    await assertRefused(world, 'approveDevice', approve, refusedWith('conflict', /suspended/));
  });
});
