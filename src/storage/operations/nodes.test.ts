import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { now, openStores } from '../storage.fixture.ts';

suite('the name of a node', () => {
  const act = (name: string, holder: string, at: number) => ({
    name,
    holder,
    now: now + at,
    until: now + at + 100,
    references: `references of ${holder}`,
    policies: `policies of ${holder}`,
  });

  test('has one process until it ends or gives it back', async (t) => {
    const { admin } = openStores(t);
    const held = { takenUntil: null, others: [] };
    assert.deepEqual(await admin.holdNode(act('node-1', 'a', 0)), held);
    assert.deepEqual(await admin.holdNode(act('node-1', 'b', 50)), { takenUntil: now + 100, others: [] });
    assert.deepEqual(await admin.holdNode(act('node-1', 'a', 60)), held);
    assert.deepEqual(await admin.holdNode(act('node-1', 'b', 160)), held);
    assert.equal((await admin.holdNode(act('node-1', 'a', 161))).takenUntil, now + 260);
    await admin.releaseNode({ name: 'node-1', holder: 'a' });
    assert.equal((await admin.holdNode(act('node-1', 'a', 162))).takenUntil, now + 260);
    await admin.releaseNode({ name: 'node-1', holder: 'b' });
    assert.deepEqual(await admin.holdNode(act('node-1', 'a', 163)), held);
  });

  test('that is asked for by many at once is given to one', async (t) => {
    const { admin } = openStores(t);
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, at) => admin.holdNode(act('node-1', `${at}`, 0))),
    );
    assert.equal(taken.filter(({ takenUntil }) => takenUntil === null).length, 1);
  });

  test('comes with what the others judge by, as long as they live', async (t) => {
    const { admin } = openStores(t);
    await admin.holdNode(act('node-2', 'b', 0));
    const { others } = await admin.holdNode(act('node-1', 'a', 99));
    const { until } = act('node-2', 'b', 0);
    assert.deepEqual(others, [
      { name: 'node-2', references: 'references of b', policies: 'policies of b', until },
    ]);
    assert.deepEqual((await admin.holdNode(act('node-1', 'a', 100))).others, []);
  });
});
