import { SallyportError } from '#errors';
import { formatEntryBundle } from './entry-bundle.ts';
import type { LogStore } from './store.ts';
import { tileLevels, tileWidth } from './tile-hashes.ts';
import { type Tile, widthOfTile } from './tile-path.ts';

/**
 * C2SP tlog-tiles: what is served for a tile of the log that has `size` entries; null where that log has none. A partial tile of any width that
 * the log once had is given, since a checkpoint may have been produced then.
 */
export async function readTile(
  tile: Tile,
  size: number,
  log: Pick<LogStore, 'entries' | 'hashes'>,
): Promise<Uint8Array | null> {
  if (tile.width > widthOfTile(tile, size)) return null;
  const from = tile.index * tileWidth;
  const to = from + tile.width;
  if (tile.level === 'entries') {
    const entries = await log.entries(from, to);
    requireWhole(entries.length, tile);
    return formatEntryBundle(entries.map(({ bytes }) => bytes));
  }
  const level = tileLevels[tile.level];
  if (level === undefined) throw new SallyportError('too-large', 'the log has more than 2^40 entries');
  const hashes = await log.hashes.read(level, from, to);
  requireWhole(hashes.length, tile);
  return Buffer.concat(hashes);
}

function requireWhole(length: number, { level, index, width }: Tile): void {
  if (length === width) return;
  throw new SallyportError(
    'log',
    `the store has ${length} of ${width} of the tile of level ${level} and index ${index}`,
  );
}
