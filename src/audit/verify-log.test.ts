import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type StoredEntry,
  type TreeHead,
  emptyRoot,
  formatCheckpoint,
  leafHash,
  signNote,
  verifyLog,
} from '#audit';
import { noteKey } from './note-key.fixture.ts';
import { entriesOf, naiveRoot, StoredTree } from './reference-tree.fixture.ts';

const key = noteKey();
const size = 40;
const bytes = entriesOf(size);
const stored: readonly StoredEntry[] = bytes.map((entry, index) => ({ index, bytes: entry }));
const head = headOf(size);

function headOf(count: number): TreeHead {
  return { size: count, root: naiveRoot(bytes.slice(0, count)) };
}

async function* iterate(entries: readonly StoredEntry[]): AsyncGenerator<StoredEntry> {
  yield* entries;
}

async function signed(tree: TreeHead, origin: string = key.signer.name) {
  return { note: await signNote(formatCheckpoint({ origin, ...tree }), key.signer), verifier: key.verifier };
}

test('a whole log verifies against its head and any checkpoint it ever signed', async () => {
  for (const at of [0, 1, 17, size]) {
    const result = await verifyLog({ entries: iterate(stored), head, checkpoint: await signed(headOf(at)) });
    assert.deepEqual(result, { ok: true, ...head, problems: [] });
  }
});

test('an empty log verifies', async () => {
  const empty = { size: 0, root: emptyRoot() };
  const result = await verifyLog({ entries: iterate([]), head: empty, checkpoint: await signed(empty) });
  assert.deepEqual(result, { ok: true, ...empty, problems: [] });
});

test('any bit of any entry changed is found', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: size - 1 }), fc.nat({ max: 55 }), async (index, bit) => {
      const changed = Buffer.from(bytes[index] ?? []);
      const at = Math.floor(bit / 8);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
      const result = await verifyLog({
        entries: iterate(stored.with(index, { index, bytes: changed })),
        head,
      });
      assert.equal(result.ok, false);
      assert.deepEqual(result.problems, [
        { index: null, message: 'the root in the head is not the root over the entries' },
      ]);
    }),
    { numRuns: 50 },
  );
});

test('with the stored leaf hashes a changed entry is found by its index', async () => {
  const hashed = stored.map((entry) => ({ ...entry, leafHash: leafHash(entry.bytes) }));
  assert.equal((await verifyLog({ entries: iterate(hashed), head })).ok, true);
  const changed = hashed.map((entry) => (entry.index === 7 ? { ...entry, bytes: Buffer.from('x') } : entry));
  const result = await verifyLog({ entries: iterate(changed), head });
  assert.deepEqual(
    result.problems.map(({ index }) => index),
    [7, null],
  );
});

test('a stored root of a full subtree that is another one, or is not there, is found', async () => {
  const many = entriesOf(600);
  const whole = { size: 600, root: naiveRoot(many) };
  const problemsOf = async (roots: (row: Uint8Array[]) => Uint8Array[]) => {
    const subtrees = StoredTree.of(many);
    subtrees.rows.set(8, roots(subtrees.rows.get(8)!));
    const entries = iterate(many.map((entry, index) => ({ index, bytes: entry })));
    return (await verifyLog({ entries, head: whole, subtrees })).problems;
  };
  assert.deepEqual(await problemsOf((row) => row), []);
  assert.deepEqual(await problemsOf((row) => row.with(1, Buffer.alloc(32))), [
    { index: null, message: 'the hash stored over entries 256 to 511 is not that of the entries' },
  ]);
  assert.deepEqual(await problemsOf((row) => row.slice(0, 1)), [
    { index: null, message: 'the hash stored over entries 256 to 511 is not there' },
  ]);
});

test('an entry taken out, put in, repeated or moved is found where it is', async () => {
  const cases: [readonly StoredEntry[], (number | null)[]][] = [
    [stored.toSpliced(5, 1), [6, null, null]],
    [stored.toSpliced(0, 1), [1, null, null]],
    [stored.toSpliced(5, 0, { index: 5, bytes: Buffer.from('new') }), [5, null, null]],
    [stored.with(5, { index: 6, bytes: Buffer.from('a') }), [6, 6, null]],
    [
      stored.toSpliced(
        5,
        2,
        { index: 6, bytes: bytes[6] ?? Buffer.alloc(0) },
        { index: 5, bytes: bytes[5] ?? Buffer.alloc(0) },
      ),
      [6, 5, 7, null],
    ],
  ];
  for (const [entries, indexes] of cases) {
    const result = await verifyLog({ entries: iterate(entries), head });
    assert.equal(result.ok, false);
    assert.deepEqual(
      result.problems.map(({ index }) => index),
      indexes,
    );
  }
});

test('a log whose entries were all numbered anew after one was taken out has another root', async () => {
  const renumbered = stored.toSpliced(5, 1).map((entry, index) => ({ ...entry, index }));
  const root = naiveRoot(renumbered.map((entry) => entry.bytes));
  const result = await verifyLog({
    entries: iterate(renumbered),
    head: { size: size - 1, root },
    checkpoint: await signed(headOf(20)),
  });
  assert.deepEqual(result.problems, [
    { index: null, message: 'the first 20 entries are not those whose root was signed' },
  ]);
});

test('a tail cut together with the head is found by the checkpoint alone', async () => {
  const cut = { entries: stored.slice(0, 30), head: headOf(30) };
  assert.equal((await verifyLog({ entries: iterate(cut.entries), head: cut.head })).ok, true);
  const result = await verifyLog({
    entries: iterate(cut.entries),
    head: cut.head,
    checkpoint: await signed(head),
  });
  assert.deepEqual(result.problems, [
    { index: null, message: 'the tail is cut: 40 entries were signed, there are 30' },
  ]);
});

test('a head of another size or root is found', async () => {
  const other = await verifyLog({ entries: iterate(stored), head: { ...head, size: 41 } });
  assert.deepEqual(
    other.problems.map(({ message }) => message),
    ['the head says 41 entries, there are 40'],
  );
  const root = await verifyLog({ entries: iterate(stored), head: { ...head, root: emptyRoot() } });
  assert.equal(root.ok, false);
  assert.deepEqual(root.root, head.root);
});

test('a checkpoint of another key, another log or another tree is a problem', async () => {
  const other = noteKey(key.signer.name);
  const { note } = await signed(head);
  for (const checkpoint of [
    { note, verifier: other.verifier },
    { note: note.replace('40', '41'), verifier: key.verifier },
    { note: 'no note', verifier: key.verifier },
    await signed(head, 'elsewhere.example'),
    await signed({ size: 17, root: head.root }),
    await signed({ size: 0, root: head.root }),
  ]) {
    const result = await verifyLog({ entries: iterate(stored), head, checkpoint });
    assert.equal(result.ok, false);
    assert.equal(result.problems.length, 1);
    assert.deepEqual(result.root, head.root);
  }
});

test('each entry is shown with its recomputed hash, and what the caller throws ends it', async () => {
  const seen: number[] = [];
  await verifyLog({
    entries: iterate(stored),
    head,
    onEntry: async (entry) => {
      assert.deepEqual(entry.leafHash, leafHash(entry.bytes));
      seen.push(entry.index);
    },
  });
  assert.deepEqual(
    seen,
    stored.map(({ index }) => index),
  );
  const failing = verifyLog({
    entries: iterate(stored),
    head,
    onEntry: () => {
      throw new Error('stop');
    },
  });
  await assert.rejects(failing, /stop/);
});

test('problems are bounded and the rest is counted', async () => {
  const wrong = Array.from({ length: 500 }, () => ({ index: 9, bytes: Buffer.from('x') }));
  const result = await verifyLog({ entries: iterate(wrong), head });
  assert.equal(result.problems.length, 101);
  assert.deepEqual(result.problems.at(-1), { index: null, message: 'and 402 more problems' });
});
