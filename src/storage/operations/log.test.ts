import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompactRange, leafHash, treeRoot } from '#audit';
import { isSallyportError } from '#errors';
import { entry, openStores, type Stores, verifiedIds } from '../storage.fixture.ts';

async function recorded({ enrollment }: Stores, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => enrollment.record(entry(`e${i}`))));
}

suite('the log', () => {
  test('begins empty', async (t) => {
    const { log } = openStores(t);
    assert.deepEqual(await log.head(), { size: 0, range: new Uint8Array() });
    assert.deepEqual(await log.entries(0, 10), []);
    assert.deepEqual(await verifiedIds(log), []);
  });

  test('gives indexes without a gap, and the bytes back as they are', async (t) => {
    const { enrollment, log } = openStores(t);
    for (let i = 0; i < 5; i += 1) assert.deepEqual(await enrollment.record(entry(`e${i}`)), { index: i });
    const [second, third] = await log.entries(1, 3);
    assert.deepEqual(second, { index: 1, bytes: new Uint8Array(entry('e1').bytes) });
    assert.equal(third?.index, 2);
    assert.deepEqual(await verifiedIds(log), ['e0', 'e1', 'e2', 'e3', 'e4']);
  });

  test('keeps the hashes from which the root of every size follows', async (t) => {
    const stores = openStores(t);
    const sizes = [1, 255, 256, 257, 700];
    const roots = new Map<number, Uint8Array>();
    const range = CompactRange.empty();
    for (let i = 0; i < 700; i += 1) {
      range.append(leafHash(entry(`e${i}`).bytes));
      if (sizes.includes(range.size)) roots.set(range.size, range.root());
    }
    await recorded(stores, 700);
    for (const [size, root] of roots) {
      assert.deepEqual(
        Buffer.from(await treeRoot(size, stores.log.hashes)),
        Buffer.from(root),
        `size ${size}`,
      );
    }
    assert.equal((await stores.log.hashes.read(8, 0, 9)).length, 2);
    assert.equal((await stores.log.hashes.read(0, 690, 710)).length, 10);
    const head = await stores.log.head();
    assert.deepEqual(
      Buffer.from(CompactRange.restore(head.size, head.range).root()),
      Buffer.from(await treeRoot(700, stores.log.hashes)),
    );
  });

  test('finds an entry by its id, the newest where one came twice', async (t) => {
    const { enrollment, log } = openStores(t);
    for (const id of ['a', 'b', 'a']) await enrollment.record(entry(id));
    assert.equal(await log.find('a'), 2);
    assert.equal(await log.find('b'), 1);
    assert.equal(await log.find('c'), null);
  });

  test('refuses an entry without id and one that no bundle can hold, and is not moved by them', async (t) => {
    const { enrollment, log } = openStores(t);
    const large = Buffer.from(`{"id":"x","text":"${'x'.repeat(65_536)}"}`);
    await assert.rejects(enrollment.record({ bytes: large, blobs: [] }), (error) =>
      isSallyportError(error, 'too-large'),
    );
    await assert.rejects(enrollment.record({ bytes: Buffer.from('{"a":1}'), blobs: [] }), (error) =>
      isSallyportError(error, 'malformed'),
    );
    assert.deepEqual(await enrollment.record(entry('e0')), { index: 0 });
    assert.deepEqual(await verifiedIds(log), ['e0']);
  });

  test('gives at most 1,024 entries at once', async (t) => {
    const { log } = openStores(t);
    await log.entries(0, 1024);
    await assert.rejects(log.entries(0, 1025), (error) => isSallyportError(error, 'too-large'));
  });
});
