import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { now, openStores } from '../storage.fixture.ts';

suite('a lease', () => {
  test('has one holder until it ends, and that one may prolong it', async (t) => {
    const { admin } = openStores(t);
    const take = (holder: string, at: number, name = 'sweep') =>
      admin.takeLease({ name, holder, now: now + at, until: now + at + 100 });
    assert.equal(await take('one', 0), true);
    assert.equal(await take('two', 0), false);
    assert.equal(await take('two', 0, 'crl'), true);
    assert.equal(await take('one', 50), true);
    assert.equal(await take('two', 149), false);
    assert.equal(await take('two', 150), true);
    assert.equal(await take('one', 151), false);
  });

  test('that many ask for at once is given to one', async (t) => {
    const { admin } = openStores(t);
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        admin.takeLease({ name: 'sweep', holder: `node-${i}`, now, until: now + 100 }),
      ),
    );
    assert.equal(taken.filter(Boolean).length, 1);
  });
});
