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
 * Throws 'log' and names the file, or the head, that does not fit.
 */
export async function verifyTiles(
  files: TileFiles,
  head: TreeHead,
  earlier: readonly TreeHead[] = [],
): Promise<void> {
  const rows = tileLevels.map((): Uint8Array[] => []);
  const range = CompactRange.empty();
  compareHeads(range, [head, ...earlier]);
  for (const tile of tilesOf(head.size)) {
    if (tile.level === 'entries') {
      for (const bytes of await readEntries(files, tile)) {
        const leaf = leafHash(bytes);
        rows[0]?.push(leaf);
        for (const { level, hash } of range.append(leaf)) rows[tileLevels.indexOf(level)]?.push(hash);
        compareHeads(range, [head, ...earlier]);
      }
    } else {
      const from = tile.index * tileWidth;
      const row = rows[tile.level]?.slice(from, from + tile.width) ?? [];
      if (!sameHash(await readFile(files, tile), Buffer.concat(row))) {
        throw new SallyportError('log', `${pathOf(tile)} holds other hashes than the entries have`);
      }
    }
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
