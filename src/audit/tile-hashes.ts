import { SallyportError } from '#errors';
import { assertHash, emptyRoot, nodeHash } from './tree-hash.ts';

/**
 * Heights at which hashes are stored: leaves, and the roots of full subtrees that tiles of height 8 begin
 * with.
 */
export const tileLevels = [0, 8, 16, 24, 32] as const;
export type TileLevel = (typeof tileLevels)[number];

/** C2SP tlog-tiles: a full tile is 256 hashes wide. */
export const tileWidth = 256;
const tileHeight = 8;

/**
 * What a store promises: the hashes with indexes `from` to `to`, the latter excluded, of one level, in order.
 * At most one tile is asked for at once, and only subtrees that are full at the tree size asked about.
 */
export interface TileHashes {
  read(level: TileLevel, from: number, to: number): Promise<readonly Uint8Array[]>;
}

/** The entries `from` to `to`, the latter excluded: D[from:to] of RFC 9162 section 2.1. */
export interface EntryRange {
  readonly from: number;
  readonly to: number;
}

export function isStoredLevel(level: number): level is Exclude<TileLevel, 0> {
  return level === 8 || level === 16 || level === 24 || level === 32;
}

/** The root that the log had at `size`, of the hashes that a store of that size or a larger one keeps. */
export async function treeRoot(size: number, hashes: TileHashes): Promise<Uint8Array> {
  if (size === 0) return emptyRoot();
  const [root] = await rangeRoots([{ from: 0, to: size }], size, hashes);
  if (root === undefined) throw new SallyportError('internal', 'no root for a range');
  return root;
}

/** MTH(D[from:to]) of each range, each tile read once. The ranges are nodes of the tree of `size` entries. */
export function rangeRoots(
  ranges: readonly EntryRange[],
  size: number,
  hashes: TileHashes,
): Promise<Uint8Array[]> {
  const tiles = new TileCache(size, hashes);
  return Promise.all(
    ranges.map(async (range) => {
      const roots = await Promise.all(
        fullSubtrees(range).map(({ level, index }) => tiles.node(level, index)),
      );
      return roots.reduceRight((right, left) => nodeHash(left, right));
    }),
  );
}

/**
 * A node of the tree is a row of full subtrees, largest first: all but those at the right edge are just one.
 */
function fullSubtrees({ from, to }: EntryRange): { level: number; index: number }[] {
  const subtrees: { level: number; index: number }[] = [];
  let at = from;
  while (at < to) {
    let level = 0;
    let width = 1;
    while (at % (width * 2) === 0 && at + width * 2 <= to) {
      level += 1;
      width *= 2;
    }
    subtrees.push({ level, index: at / width });
    at += width;
  }
  return subtrees;
}

/** The tiles of one computation. */
class TileCache {
  readonly #size: number;
  readonly #hashes: TileHashes;
  readonly #tiles = new Map<string, Promise<readonly Uint8Array[]>>();

  constructor(size: number, hashes: TileHashes) {
    this.#size = size;
    this.#hashes = hashes;
  }

  /** The root of the full subtree of 2^level entries at `index`. */
  async node(level: number, index: number): Promise<Uint8Array> {
    const tileLevel = tileLevels[Math.floor(level / tileHeight)];
    if (tileLevel === undefined) throw new SallyportError('too-large', 'the log has more than 2^40 entries');
    const width = 2 ** (level - tileLevel);
    const first = index * width;
    const tile = Math.floor(first / tileWidth);
    const row = await this.#tile(tileLevel, tile);
    return fold(row.slice(first - tile * tileWidth, first - tile * tileWidth + width));
  }

  #tile(level: TileLevel, index: number): Promise<readonly Uint8Array[]> {
    const key = `${level}/${index}`;
    const known = this.#tiles.get(key);
    if (known !== undefined) return known;
    const read = this.#read(level, index);
    this.#tiles.set(key, read);
    return read;
  }

  async #read(level: TileLevel, index: number): Promise<readonly Uint8Array[]> {
    const from = index * tileWidth;
    const to = Math.min(from + tileWidth, Math.floor(this.#size / 2 ** level));
    const row = await this.#hashes.read(level, from, to);
    if (row.length !== to - from) {
      throw new SallyportError(
        'log',
        `the store has ${row.length} of ${to - from} hashes of level ${level} from ${from}`,
      );
    }
    row.forEach(assertHash);
    return row;
  }
}

/** The root over a row of hashes whose length is a power of two. */
function fold(row: readonly Uint8Array[]): Uint8Array {
  let nodes = row;
  while (nodes.length > 1) {
    const parents: Uint8Array[] = [];
    for (let at = 0; at < nodes.length; at += 2) {
      parents.push(nodeHash(hashAt(nodes, at), hashAt(nodes, at + 1)));
    }
    nodes = parents;
  }
  return hashAt(nodes, 0);
}

function hashAt(row: readonly Uint8Array[], at: number): Uint8Array {
  const hash = row[at];
  if (hash === undefined) throw new SallyportError('internal', 'a subtree is not full');
  return hash;
}
