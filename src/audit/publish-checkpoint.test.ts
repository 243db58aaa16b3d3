import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  formatCheckpoint,
  type LogStore,
  openCheckpoint,
  publishCheckpoint,
  signNote,
  type TreeHead,
} from '#audit';
import { noteKey } from './note-key.fixture.ts';
import { entriesOf, naiveRoot, StoredTree } from './reference-tree.fixture.ts';

const key = noteKey();
const entries = entriesOf(40);
const others = entriesOf(40).map((bytes) => Buffer.concat([bytes, Buffer.of(0)]));

const treeOf = (size: number, of: readonly Uint8Array[] = entries) => StoredTree.of(of.slice(0, size));
const headOf = (size: number): TreeHead => ({ size, root: naiveRoot(entries.slice(0, size)) });
const noteOf = (head: TreeHead) =>
  signNote(formatCheckpoint({ origin: key.signer.name, ...head }), key.signer);

/** A log whose tree can be exchanged, as a database is by who restores it, and all that is kept outside of it. */
function world(tree: StoredTree) {
  const state = {
    tree,
    file: null as string | null,
    anchor: null as string[] | null,
    shown: [] as string[],
    /** What others do between the reading of the notes and that of the head. */
    meanwhile: () => {},
  };
  const log = {
    head: async () => ({ size: state.tree.range.size, range: state.tree.range.toBytes() }),
    hashes: { read: (...asked: Parameters<StoredTree['read']>) => state.tree.read(...asked) },
    saveNote: async (_size: number, note: string) => void state.shown.push(note),
  } as unknown as LogStore;
  const publish = (published: TreeHead | null) =>
    publishCheckpoint(published, {
      log,
      file: {
        read: async () => state.file,
        write: async (note) => void (state.file = note),
      },
      anchor: {
        async read() {
          state.meanwhile();
          return state.anchor ?? [];
        },
        write: async (note) => void state.anchor?.push(note),
      },
      signer: key.signer,
      verifier: key.verifier,
    });
  return { state, publish };
}

suite('a checkpoint is published', () => {
  test('where the log has grown, in the file, in the anchor and then in the database', async () => {
    const { state, publish } = world(treeOf(13));
    state.anchor = [];
    const first = await publish(null);
    state.tree = treeOf(29);
    const second = await publish(first);
    assert.deepEqual([first, second], [headOf(13), headOf(29)]);
    assert.deepEqual(
      state.shown.map((note) => openCheckpoint(note, key.verifier).size),
      [13, 29],
    );
    assert.deepEqual(state.anchor, state.shown);
    assert.equal(state.file, state.shown[1]);
  });

  test('not where it has not', async () => {
    const { state, publish } = world(treeOf(13));
    assert.deepEqual(await publish(headOf(13)), headOf(13));
    assert.deepEqual([state.file, state.shown], [null, []]);
  });

  test('where another node signed more while the notes were read', async () => {
    const { state, publish } = world(treeOf(13));
    const more = await noteOf(headOf(17));
    state.anchor = [more];
    state.meanwhile = () => (state.tree = treeOf(17));
    assert.deepEqual(await publish(headOf(11)), headOf(17));
  });
});

suite('nothing is signed', () => {
  /** By what is remembered, by the file alone, by the anchor alone. */
  const knownBy = {
    memory: async () => ({ published: headOf(13), file: null, anchor: null }),
    file: async () => ({ published: null, file: await noteOf(headOf(13)), anchor: null }),
    anchor: async () => ({ published: null, file: null, anchor: [await noteOf(headOf(13))] }),
  };
  const databases = {
    'is an older state': [treeOf(5), /13 were published: this is an older copy/],
    'is an older state that has grown to the same size': [
      treeOf(13, others),
      /not those that were published/,
    ],
    'is an older state that has grown': [treeOf(30, others), /not those that were published/],
  } as const;
  for (const [place, known] of Object.entries(knownBy)) {
    for (const [what, [tree, message]] of Object.entries(databases)) {
      test(`where the database ${what}, by the ${place}`, async () => {
        const { published, file, anchor } = await known();
        const { state, publish } = world(tree);
        Object.assign(state, { file, anchor });
        await assert.rejects(publish(published), { code: 'log', message });
        assert.deepEqual([state.file, state.shown], [file, []]);
      });
    }
  }

  test('where a kept note is of another key, and that ends nothing', async () => {
    const stranger = noteKey();
    const { state, publish } = world(treeOf(13));
    state.anchor = [
      await signNote(formatCheckpoint({ origin: key.signer.name, ...headOf(13) }), stranger.signer),
    ];
    await assert.rejects(publish(headOf(11)), { code: 'store', message: /is refused/ });
    assert.deepEqual(state.shown, []);
  });
});
