import {
  decodeEntry,
  documentOf,
  formatDocumentBundle,
  type LogReader,
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

/** Of a log that a restore ended, by its number among those of the database. */
const earlierPath = /^earlier\/(0|[1-9]\d{0,5})\/(.+)$/;

/** What can be read of one log, and as far as which entry. */
interface PublishedLog {
  readonly log: Pick<LogReader, 'entries' | 'blobs' | 'hashes'>;
  readonly note: string;
  readonly size: number;
}

/**
 * `path` without the log's prefix. Tiles go as far as the newest signed checkpoint: nothing is told of what nobody signed. A log that ended has the
 * same paths below `earlier/<number>/`, 0 being the first.
 */
export async function logDocument(ports: Ports, path: string): Promise<LogDocument | null> {
  const [, number, below] = earlierPath.exec(path) ?? [];
  const resource = below ?? path;
  const tile = orNull(() => parseTilePath(resource));
  const bundle = orNull(() => parseDocumentBundlePath(resource));
  if (tile === null && bundle === null && resource !== 'checkpoint') return null;
  const published = await (number === undefined ? currentLog(ports) : endedLog(ports, Number(number)));
  if (published === null) return null;
  const { log, note, size } = published;
  if (bundle !== null) return documentsOf(bundle, size, log);
  if (tile === null) {
    return { contentType: 'text/plain; charset=utf-8', body: Buffer.from(note), immutable: false };
  }
  const body = await readTile(tile, size, log);
  return body === null ? null : { contentType: 'application/octet-stream', body, immutable: true };
}

async function currentLog({ log, logVerifier }: Ports): Promise<PublishedLog | null> {
  const note = await log.note();
  return note === null ? null : { log, note, size: openCheckpoint(note, logVerifier).size };
}

async function endedLog({ log }: Ports, number: number): Promise<PublishedLog | null> {
  const ended = (await log.earlier()).find((each) => each.number === number);
  return ended === undefined ? null : { log: ended, note: ended.note, size: ended.head.size };
}

/** What is left of the sealed documents of one bundle. */
async function documentsOf(
  bundle: number,
  size: number,
  log: PublishedLog['log'],
): Promise<LogDocument | null> {
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
