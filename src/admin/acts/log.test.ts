import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { leafHash, parseVerifierKey, verifyTlogProof } from '#audit';
import { ada, assertRefused, openWorld, refusedWith } from '../admin.fixture.ts';

suite('log', () => {
  test('an entry is shown by index and by id, in capitals or not', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const entry = await world.entry(1);
    for (const id of ['1', String(entry['id']), String(entry['id']).toLowerCase()]) {
      const shown = await world.admin.perform('showEntry', ada, { id });
      assert.equal(shown.index, 1);
      assert.deepEqual(shown.entry, entry);
    }
    await assertRefused(world, 'showEntry', { id: '2' }, refusedWith('not-found', /0 to 1/));
    await assertRefused(world, 'showEntry', { id: 'R-0000-0000-0000-0000' }, refusedWith('not-found'));
  });

  test('a receipt proves the entry against the signed checkpoint; a newer entry has to wait for the next', async (t) => {
    const world = await openWorld(t);
    await assertRefused(world, 'proveEntry', { id: '0' }, refusedWith('conflict', /wait a second/));
    await world.publish();
    await world.importDevice('laptop-7');
    await assertRefused(world, 'proveEntry', { id: '1' }, refusedWith('conflict', /wait a second/));
    await world.publish();
    const proof = await world.admin.perform('proveEntry', ada, { id: '1' });
    const log = parseVerifierKey(proof.verifierKey);
    const verified = verifyTlogProof(proof.receipt, { leafHash: leafHash(Buffer.from(proof.entry)), log });
    assert.equal(verified.index, 1);
    assert.equal(verified.checkpoint.size, 2);
  });

  test('following goes on from where it stopped', async (t) => {
    const world = await openWorld(t);
    for (const id of ['a', 'b', 'c']) await world.importDevice(id);
    const newest = await world.admin.perform('listEntries', ada, { limit: 2 });
    assert.deepEqual(
      newest.entries.map(({ index }) => index),
      [2, 3],
    );
    assert.equal(newest.next, 4);
    assert.deepEqual((await world.admin.perform('listEntries', ada, { from: newest.next })).entries, []);
    await world.importDevice('d');
    const next = await world.admin.perform('listEntries', ada, { from: newest.next });
    assert.deepEqual(
      next.entries.map(({ index }) => index),
      [4],
    );
  });
});
