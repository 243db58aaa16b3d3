import {
  decodeEntry,
  documentOf,
  formatDocumentBundle,
  openCheckpoint,
  parseDocumentBundlePath,
  parseTilePath,
  readTile,
  tileWidth,
} from '#audit';
import { isSallyportError } from '#errors';
import type { AdminPorts } from './ports.ts';

/** A resource of the tiled log (C2SP tlog-tiles). */
export interface LogDocument {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** The same bytes for ever: all but the checkpoint and the sealed documents, which can be erased. */
  readonly immutable: boolean;
}

type Ports = Pick<AdminPorts, 'log' | 'logVerifier'>;

/** `path` without the log's prefix. Tiles go as far as the newest signed checkpoint: nothing is told of what nobody signed. */
export async function logDocument({ log, logVerifier }: Ports, path: string): Promise<LogDocument | null> {
  const tile = orNull(() => parseTilePath(path));
  const bundle = orNull(() => parseDocumentBundlePath(path));
  if (tile === null && bundle === null && path !== 'checkpoint') return null;
  const note = await log.note();
  if (note === null) return null;
  if (bundle !== null) return documentsOf(bundle, openCheckpoint(note, logVerifier).size, log);
  if (tile === null) {
    return { contentType: 'text/plain; charset=utf-8', body: Buffer.from(note), immutable: false };
  }
  const body = await readTile(tile, openCheckpoint(note, logVerifier).size, log);
  return body === null ? null : { contentType: 'application/octet-stream', body, immutable: true };
}

/** What is left of the sealed documents of one bundle. */
async function documentsOf(bundle: number, size: number, log: Ports['log']): Promise<LogDocument | null> {
  const from = bundle * tileWidth;
  const to = Math.min(from + tileWidth, size);
  if (from >= to) return null;
  const [entries, blobs] = await Promise.all([log.entries(from, to), log.blobs(from, to)]);
  const byEntry = Map.groupBy(blobs, ({ index }) => index);
  const documents = entries.flatMap(({ index, bytes }) => {
    const document = documentOf(decodeEntry(bytes), byEntry.get(index) ?? []);
    return document === null ? [] : [document];
  });
  return { contentType: 'application/json', body: formatDocumentBundle(documents), immutable: false };
}

function orNull<Value>(parse: () => Value): Value | null {
  try {
    return parse();
  } catch (error) {
    if (isSallyportError(error, 'malformed')) return null;
    throw error;
  }
}
