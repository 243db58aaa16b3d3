import { openCheckpoint, parseTilePath, readTile, type Tile } from '#audit';
import { isSallyportError } from '#errors';
import type { AdminPorts } from './ports.ts';

/** A resource of the tiled log (C2SP tlog-tiles). */
export interface LogDocument {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** The same bytes for ever: all but the checkpoint. */
  readonly immutable: boolean;
}

type Ports = Pick<AdminPorts, 'log' | 'logVerifier'>;

/** `path` without the log's prefix. Tiles go as far as the newest signed checkpoint: nothing is told of what nobody signed. */
export async function logDocument({ log, logVerifier }: Ports, path: string): Promise<LogDocument | null> {
  const tile = tileAt(path);
  if (tile === null && path !== 'checkpoint') return null;
  const note = await log.note();
  if (note === null) return null;
  if (tile === null) {
    return { contentType: 'text/plain; charset=utf-8', body: Buffer.from(note), immutable: false };
  }
  const body = await readTile(tile, openCheckpoint(note, logVerifier).size, log);
  return body === null ? null : { contentType: 'application/octet-stream', body, immutable: true };
}

function tileAt(path: string): Tile | null {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (isSallyportError(error, 'malformed')) return null;
    throw error;
  }
}
