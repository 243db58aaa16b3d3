import { SallyportError } from '#errors';
import { tileWidth } from './tile-hashes.ts';
import { isTreeSize } from './tree-size.ts';

/**
 * C2SP tlog-tiles counts levels of tiles: the tile at level 1 holds the hashes that are stored at height 8.
 * Bundles of entries are named as the tiles of level 0 are.
 */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 256. Less than 256 is a partial tile. */
  readonly width: number;
}

const maximumTileLevel = 63;

/** `tile/<L>/<N>[.p/<W>]`, to be put behind the log's prefix. */
export function tilePath(level: Tile['level'], index: number, width: number = tileWidth): string {
  if (!isTile({ level, index, width })) {
    throw new SallyportError(
      'malformed',
      `there is no tile of level ${level}, index ${index}, width ${width}`,
    );
  }
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** Refuses every spelling but that of `tilePath`, so that a cache has each tile once. */
export function parseTilePath(path: string): Tile {
  const [, level, groups, width] =
    /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  if (level !== undefined && groups !== undefined) {
    const tile: Tile = {
      level: level === 'entries' ? level : Number(level),
      index: Number(groups.replaceAll(/[x/]/g, '')),
      width: width === undefined ? tileWidth : Number(width),
    };
    if (isTile(tile) && tilePath(tile.level, tile.index, tile.width) === path) return tile;
  }
  throw new SallyportError('malformed', 'a tile path reads tile/<level>/<index>[.p/<width>]');
}

/**
 * How wide that tile is in a log of `size` entries: floor(size / 256^level) mod 256 at the right edge, 0
 * beyond it.
 */
export function widthOfTile({ level, index }: Pick<Tile, 'level' | 'index'>, size: number): number {
  const hashes = Math.floor(size / tileWidth ** (level === 'entries' ? 0 : level));
  return Math.min(tileWidth, Math.max(0, hashes - index * tileWidth));
}

function isTile({ level, index, width }: Tile): boolean {
  const levelExists = level === 'entries' || (isTreeSize(level) && level <= maximumTileLevel);
  return levelExists && isTreeSize(index) && isTreeSize(width) && width >= 1 && width <= tileWidth;
}
