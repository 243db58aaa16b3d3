import { SallyportError } from '#errors';
import { CompactRange } from './compact-range.ts';
import { parseEntryBundle } from './entry-bundle.ts';
import { tileLevels, tileWidth } from './tile-hashes.ts';
import { type Tile, tilePath, widthOfTile } from './tile-path.ts';
import type { TreeHead } from './tree-head.ts';
import { leafHash, sameHash } from './tree-hash.ts';

/** Files of a tiled log, by their path below its prefix. */
export interface TileFiles {
  /** null: there is none. */
  read(path: string): Promise<Uint8Array | null>;
}

/** Every tile that a log of that size is made of (C2SP tlog-tiles, "Partial Tiles"): bundles of entries, then hashes, level by level. */
export function* tilesOf(size: number): Generator<Tile> {
  for (const level of ['entries', ...tileLevels.keys()] as const) {
    for (let index = 0; ; index += 1) {
      const width = widthOfTile({ level, index }, size);
      if (width === 0) break;
      yield { level, index, width };
    }
  }
}

/**
 * Recomputes the tree of its entries, and compares every tile and the root with it. `earlier` are heads that this log had: it must have them still.
 * In memory is one bundle, and of each level the tile that is being filled, however large the log is.
 * Throws 'log' and names the file, or the head, that does not fit.
 */
export async function verifyTiles(
  files: TileFiles,
  head: TreeHead,
  earlier: readonly TreeHead[] = [],
): Promise<void> {
  const rows = tileLevels.map((_, level) => new Row(files, level));
  const range = CompactRange.empty();
  compareHeads(range, [head, ...earlier]);
  for (let index = 0; index * tileWidth < head.size; index += 1) {
    const width = widthOfTile({ level: 'entries', index }, head.size);
    for (const bytes of await readEntries(files, { level: 'entries', index, width })) {
      const leaf = leafHash(bytes);
      await rows[0]?.add(leaf);
      for (const { level, hash } of range.append(leaf)) await rows[tileLevels.indexOf(level)]?.add(hash);
      compareHeads(range, [head, ...earlier]);
    }
  }
  for (const row of rows) await row.end();
}

/** The hashes of one level, compared with its tiles one after the other. */
class Row {
  readonly #files: TileFiles;
  readonly #level: number;
  #index = 0;
  #hashes: Uint8Array[] = [];

  constructor(files: TileFiles, level: number) {
    this.#files = files;
    this.#level = level;
  }

  async add(hash: Uint8Array): Promise<void> {
    this.#hashes.push(hash);
    if (this.#hashes.length === tileWidth) await this.#compare();
  }

  /** The last tile may be a partial one. */
  async end(): Promise<void> {
    if (this.#hashes.length > 0) await this.#compare();
  }

  async #compare(): Promise<void> {
    const tile = { level: this.#level, index: this.#index, width: this.#hashes.length };
    if (!sameHash(await readFile(this.#files, tile), Buffer.concat(this.#hashes))) {
      throw new SallyportError('log', `${pathOf(tile)} holds other hashes than the entries have`);
    }
    this.#index += 1;
    this.#hashes = [];
  }
}

function compareHeads(range: CompactRange, heads: readonly TreeHead[]): void {
  for (const { size, root } of heads) {
    if (range.size === size && !sameHash(range.root(), root)) {
      throw new SallyportError('log', `the first ${size} entries are not those whose root was signed`);
    }
  }
}

async function readEntries(files: TileFiles, tile: Tile): Promise<readonly Uint8Array[]> {
  const entries = parseEntryBundle(await readFile(files, tile));
  if (entries.length === tile.width) return entries;
  throw new SallyportError('log', `${pathOf(tile)} has ${entries.length} entries, not ${tile.width}`);
}

async function readFile(files: TileFiles, tile: Tile): Promise<Uint8Array> {
  const bytes = await files.read(pathOf(tile));
  if (bytes === null) throw new SallyportError('log', `${pathOf(tile)} is missing`);
  return bytes;
}

function pathOf({ level, index, width }: Tile): string {
  return tilePath(level, index, width);
}
