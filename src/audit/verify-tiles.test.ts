import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readTile, tilePath, tilesOf, verifyTiles } from '#audit';
import { entriesOf, naiveRoot, StoredTree, tampered } from './reference-tree.fixture.ts';

const entries = entriesOf(700);
const log = {
  hashes: StoredTree.of(entries),
  entries: async (from: number, to: number) =>
    entries.slice(from, to).map((bytes, at) => ({ index: from + at, bytes })),
};
const headOf = (size: number) => ({ size, root: naiveRoot(entries.slice(0, size)) });

/** Every file of the log at that size. */
async function filesOf(size: number): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const tile of tilesOf(size)) {
    const bytes = await readTile(tile, size, log);
    assert.ok(bytes !== null);
    files.set(tilePath(tile.level, tile.index, tile.width), bytes);
  }
  return files;
}

const reading = (files: ReadonlyMap<string, Uint8Array>) => ({
  read: async (path: string) => files.get(path) ?? null,
});

suite('tiles', () => {
  test('of a log of any size are what the root is computed of', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 700 }), async (size) => {
        await verifyTiles(reading(await filesOf(size)), headOf(size));
      }),
      { numRuns: 30 },
    );
  });

  test('hold the heads that the log had before, and no others', async () => {
    const files = reading(await filesOf(700));
    await verifyTiles(files, headOf(700), [headOf(1), headOf(256), headOf(699), headOf(700)]);
    const other = { size: 300, root: Buffer.alloc(32) };
    await assert.rejects(verifyTiles(files, headOf(700), [other]), { code: 'log' });
  });

  test('with one bit turned, one file missing or another one in its place do not verify', async () => {
    const files = await filesOf(700);
    const paths = [...files.keys()];
    assert.deepEqual(paths, [
      'tile/entries/000',
      'tile/entries/001',
      'tile/entries/002.p/188',
      'tile/0/000',
      'tile/0/001',
      'tile/0/002.p/188',
      'tile/1/000.p/2',
    ]);
    const refused = async (path: string, bytes: Uint8Array | null) => {
      const altered = new Map(files);
      if (bytes === null) altered.delete(path);
      else altered.set(path, bytes);
      await assert.rejects(verifyTiles(reading(altered), headOf(700)), (error: { code?: string }) =>
        ['log', 'malformed'].includes(error.code ?? ''),
      );
    };
    for (const path of paths) {
      for (const bit of [0, 77, 4099]) await refused(path, tampered(files.get(path)!, bit));
      await refused(path, null);
      await refused(path, files.get(path)!.subarray(0, -32));
    }
    await refused('tile/entries/000', files.get('tile/entries/001')!);
  });

  test('are compared as their entries come: no more of the log is held than a bundle and a tile of each level', async () => {
    const files = await filesOf(700);
    const paths: string[] = [];
    const read = async (path: string) => {
      paths.push(path);
      return files.get(path) ?? null;
    };
    await verifyTiles({ read }, headOf(700));
    assert.deepEqual(paths, [
      'tile/entries/000',
      'tile/0/000',
      'tile/entries/001',
      'tile/0/001',
      'tile/entries/002.p/188',
      'tile/0/002.p/188',
      'tile/1/000.p/2',
    ]);
  });

  test('of the second level appear with 65,536 entries', async () => {
    const zeros = {
      entries: async () => [],
      hashes: {
        read: async (_: number, from: number, to: number) => Array(to - from).fill(Buffer.alloc(32)),
      },
    };
    for (const [size, width] of [
      [65_535, null],
      [65_536, 32],
      [131_071, 32],
      [131_072, 64],
    ] as const) {
      const [narrow, wide] = await Promise.all(
        [1, 2].map((width) => readTile({ level: 2, index: 0, width }, size, zeros)),
      );
      assert.equal(wide?.length ?? narrow?.length ?? null, width, String(size));
    }
  });

  test('that the store does not have whole are a fault, and not served', async () => {
    const cut = { ...log, entries: async (from: number, to: number) => log.entries(from, to - 1) };
    await assert.rejects(readTile({ level: 'entries', index: 0, width: 256 }, 700, cut), { code: 'log' });
  });
});
