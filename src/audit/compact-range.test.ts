import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CompactRange, leafHash } from '#audit';
import { StoredTree, entriesOf, naiveRoot } from './reference-tree.fixture.ts';

test('the root is MTH of RFC 9162 section 2.1.1 at every size', () => {
  const entries = entriesOf(300);
  const range = CompactRange.empty();
  assert.deepEqual(range.root(), naiveRoot([]));
  entries.forEach((entry, index) => {
    range.append(leafHash(entry));
    assert.equal(range.size, index + 1);
    assert.deepEqual(range.root(), naiveRoot(entries.slice(0, index + 1)));
  });
});

test('a range restored at any size goes on as if it had never stopped', () => {
  fc.assert(
    fc.property(fc.nat({ max: 700 }), fc.nat({ max: 700 }), (a, b) => {
      const [stop, end] = a < b ? [a, b] : [b, a];
      const entries = entriesOf(end);
      const before = CompactRange.empty();
      for (const entry of entries.slice(0, stop)) before.append(leafHash(entry));
      const after = CompactRange.restore(before.size, before.toBytes());
      assert.deepEqual(after.root(), before.root());
      for (const entry of entries.slice(stop)) after.append(leafHash(entry));
      assert.deepEqual(after.root(), naiveRoot(entries));
    }),
    { numRuns: 40 },
  );
});

test('a clone and its original do not share what they append', () => {
  const range = CompactRange.empty();
  for (const entry of entriesOf(5)) range.append(leafHash(entry));
  const root = range.root();
  const clone = range.clone();
  clone.append(leafHash(Buffer.from('rolled back')));
  assert.equal(range.size, 5);
  assert.deepEqual(range.root(), root);
});

test('a restored range does not change with the buffer it was read from', () => {
  const range = CompactRange.empty();
  for (const entry of entriesOf(7)) range.append(leafHash(entry));
  const bytes = Buffer.from(range.toBytes());
  const restored = CompactRange.restore(7, bytes);
  bytes.fill(0);
  assert.deepEqual(restored.root(), range.root());
});

test('appending reports each stored subtree once, in order, and its root is MTH of its entries', () => {
  const entries = entriesOf(65_536 + 300);
  const { rows } = StoredTree.of(entries);
  assert.equal(rows.get(8)?.length, 257);
  assert.equal(rows.get(16)?.length, 1);
  assert.equal(rows.get(24), undefined);
  assert.deepEqual(rows.get(8)?.[3], naiveRoot(entries.slice(768, 1024)));
  assert.deepEqual(rows.get(16)?.[0], naiveRoot(entries.slice(0, 65_536)));
});

test('the leaf that completes 65,536 entries completes 256 too, lowest first', () => {
  const range = CompactRange.empty();
  const leaf = leafHash(Buffer.from('x'));
  for (let index = 0; index < 65_535; index += 1) range.append(leaf);
  assert.deepEqual(
    range.append(leaf).map(({ level, index }) => [level, index]),
    [
      [8, 255],
      [16, 0],
    ],
  );
  assert.deepEqual(range.append(leaf), []);
});

test('sizes beyond 32 bits keep counting', () => {
  const size = 2 ** 40 - 1;
  const hashes = Buffer.alloc(40 * 32, 7);
  const range = CompactRange.restore(size, hashes);
  const completed = range.append(leafHash(Buffer.from('x')));
  assert.deepEqual(
    completed.map(({ level, index }) => [level, index]),
    [
      [8, 2 ** 32 - 1],
      [16, 2 ** 24 - 1],
      [24, 2 ** 16 - 1],
      [32, 2 ** 8 - 1],
    ],
  );
  assert.equal(range.size, 2 ** 40);
  assert.equal(range.toBytes().length, 32);
});

test('what is no range of that size is refused', () => {
  const hash = leafHash(Buffer.from('x'));
  assert.throws(() => CompactRange.restore(2, Buffer.concat([hash, hash])), { code: 'malformed' });
  assert.throws(() => CompactRange.restore(3, hash), { code: 'malformed' });
  assert.throws(() => CompactRange.restore(1, hash.subarray(1)), { code: 'malformed' });
  assert.throws(() => CompactRange.restore(0, hash), { code: 'malformed' });
  assert.throws(() => CompactRange.restore(-1, Buffer.alloc(0)), { code: 'malformed' });
  assert.throws(() => CompactRange.restore(0.5, Buffer.alloc(0)), { code: 'malformed' });
  assert.throws(() => CompactRange.empty().append(hash.subarray(1)), { code: 'malformed' });
});
