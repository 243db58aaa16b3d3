import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { parseTilePath, tilePath, widthOfTile } from '#audit';

test('C2SP tlog-tiles: index 1234067 is x001/x234/067', () => {
  assert.equal(tilePath(0, 1_234_067), 'tile/0/x001/x234/067');
  assert.equal(tilePath('entries', 1_234_067, 5), 'tile/entries/x001/x234/067.p/5');
  assert.equal(tilePath(1, 0, 1), 'tile/1/000.p/1');
  assert.equal(tilePath(63, 999), 'tile/63/999');
  assert.equal(tilePath(2, 1000), 'tile/2/x001/000');
});

/**
 * All tiles that a log of that size serves, by level: how many full ones, and the width of the partial one.
 */
function tilesAt(size: number): { full: number; partial: number }[] {
  const levels: { full: number; partial: number }[] = [];
  for (let level = 0; widthOfTile({ level, index: 0 }, size) > 0; level += 1) {
    let full = 0;
    while (widthOfTile({ level, index: full }, size) === 256) full += 1;
    levels.push({ full, partial: widthOfTile({ level, index: full }, size) });
    assert.equal(widthOfTile({ level, index: full + 1 }, size), 0);
  }
  return levels;
}

test('C2SP tlog-tiles: the tiles of a tree of size 70,000', () => {
  assert.deepEqual(tilesAt(70_000), [
    { full: 273, partial: 112 },
    { full: 1, partial: 17 },
    { full: 0, partial: 1 },
  ]);
});

test('C2SP tlog-tiles: a tree of size 256 has a full tile and a partial one of width 1', () => {
  assert.deepEqual(tilesAt(256), [
    { full: 1, partial: 0 },
    { full: 0, partial: 1 },
  ]);
});

test('a bundle of entries is as wide as its tile of level 0, and an empty log has none', () => {
  assert.equal(widthOfTile({ level: 'entries', index: 273 }, 70_000), 112);
  assert.equal(widthOfTile({ level: 'entries', index: 0 }, 0), 0);
  assert.deepEqual(tilesAt(0), []);
});

const tiles = fc.record(
  {
    level: fc.oneof(fc.nat({ max: 63 }), fc.constant('entries' as const)),
    index: fc.maxSafeNat(),
    width: fc.integer({ min: 1, max: 256 }),
  },
  { noNullPrototype: true },
);

test('what is formatted parses to the same', () => {
  fc.assert(
    fc.property(tiles, (tile) =>
      assert.deepEqual(parseTilePath(tilePath(tile.level, tile.index, tile.width)), tile),
    ),
  );
});

test('a tile has one path only', () => {
  for (const path of [
    '',
    'tile/0/0',
    'tile/0/0000',
    'tile/00/000',
    'tile/01/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/data/000',
    'tile/0/x000/001',
    'tile/0/001/001',
    'tile/0/x001/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/x001/x000/x000/x000/x000/x000/000',
  ]) {
    assert.throws(() => parseTilePath(path), { code: 'malformed' }, path);
  }
});

test('arbitrary text gives a tile or a typed error', () => {
  const parts = fc.array(fc.constantFrom('tile', '/', 'x', '000', '1', '.p/', 'entries', '12', '\n'));
  fc.assert(
    fc.property(parts, (text) => {
      try {
        const { level, index, width } = parseTilePath(text.join(''));
        assert.equal(tilePath(level, index, width), text.join(''));
      } catch (error) {
        assert.ok(isSallyportError(error, 'malformed'), String(error));
      }
    }),
  );
});

test('there is no path of a tile that cannot be', () => {
  for (const [level, index, width] of [
    [64, 0, 256],
    [-1, 0, 256],
    [0.5, 0, 256],
    [0, -1, 256],
    [0, 2 ** 53, 256],
    [0, 0, 0],
    [0, 0, 257],
  ] as const) {
    assert.throws(() => tilePath(level, index, width), { code: 'malformed' });
  }
});
