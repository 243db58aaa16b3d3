import { type FileHandle, open, stat } from 'node:fs/promises';
import { SallyportError } from '#errors';
import { joinEntry } from '../sealed-entry.ts';
import type { LogStore } from '../store.ts';
import { firstOrigin } from '../restored-origin.ts';
import { leafHash } from '../tree-hash.ts';
import type { Sink, SinkEntry } from './sink.ts';

export interface NdjsonSinkSettings {
  readonly name: string;
  readonly file: string;
  readonly origin: string;
  /** `opened`: entries with their personal fields, as long as those are there. `sealed`: leaves alone. */
  readonly personalFields: 'opened' | 'sealed';
  readonly log: Pick<LogStore, 'entries'>;
}

const tailBytes = 256 * 1024;
const lineStart = '{"log":';
/** Where some readers end a line, and JSON does not: within texts alone. A name that a stranger asked for must not tear a line. */
const lineEnds = /[\u0085\u2028\u2029]/g;

/**
 * Newline-delimited JSON in a file, for a shipper to follow: one line an entry, with the log's origin, the entry's index and its leaf hash,
 * so that the stream can be verified by itself; where personal fields were put back, also with the salt of the document that they were in. Acknowledged means synced to disk. What a crash left half written is cut off at the next
 * start, and lines that the file has already are not written twice. A file that was renamed or deleted is followed by a new one.
 */
export async function openNdjsonSink(settings: NdjsonSinkSettings): Promise<Sink> {
  const { name, origin } = settings;
  let { handle, length, last } = await openFile(settings);
  /** Takes back what a failed append left after the last whole line. */
  const cutTorn = async () => {
    const { size } = await handle.stat();
    if (size > length) await handle.truncate(length);
    else length = size; // Shorter: rotated by copying and cutting.
  };
  return {
    name,
    get lacks() {
      return last === -1 ? null : last + 1;
    },
    opens: settings.personalFields === 'opened',
    async deliver(entries) {
      if (await isMoved(handle, settings.file)) {
        const next = await openFile(settings);
        await handle.close();
        ({ handle, length } = next);
        last = Math.max(last, next.last);
      } else await cutTorn();
      const fresh = entries.filter(({ index }) => index > last);
      if (fresh.length === 0) return;
      const lines = fresh.map((entry) => formatLine(entry, origin)).join('');
      try {
        await handle.appendFile(lines);
        await handle.datasync();
      } catch (error) {
        // Where this fails too, the next delivery does it.
        await cutTorn().catch(() => {});
        throw error;
      }
      length += Buffer.byteLength(lines);
      last = fresh.at(-1)!.index;
    },
    close: () => handle.close(),
  };
}

function formatLine({ index, bytes, blobs }: SinkEntry, origin: string): string {
  const joined = blobs.length === 0 ? null : joinEntry(bytes, blobs);
  const salt = joined === null ? {} : { salt: Buffer.from(joined.salt).toString('base64') };
  const log = JSON.stringify({ origin, index, leafHash: leafHashText(bytes), ...salt });
  // A leaf as it was hashed: it is JSON on one line. Its canonical form has back what is written as an escape.
  const entry = joined === null ? Buffer.from(bytes).toString('utf8') : JSON.stringify(joined.entry);
  return `{"log":${log},"entry":${entry.replaceAll(lineEnds, escaped)}}\n`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function leafHashText(bytes: Uint8Array): string {
  return Buffer.from(leafHash(bytes)).toString('base64');
}

interface OpenFile {
  readonly handle: FileHandle;
  /** Up to the end of the last whole line. */
  readonly length: number;
  /** Index of the last whole line's entry, -1 for an empty file. */
  readonly last: number;
}

/** Refuses a file that is not of this log, and cuts a torn last line. */
async function openFile(settings: NdjsonSinkSettings): Promise<OpenFile> {
  const { name, file } = settings;
  let handle: FileHandle;
  try {
    handle = await open(file, 'a+', 0o600);
  } catch (cause) {
    throw new SallyportError('config', `log sink ${name} cannot write ${file}`, { cause });
  }
  try {
    const { length, line, isTorn } = await readTail(handle, settings);
    const last = line === null ? -1 : await verifyLine(line, settings);
    if (isTorn) await handle.truncate(length);
    return { handle, length, last };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether the path leads to another file now, or to none. */
async function isMoved(handle: FileHandle, file: string): Promise<boolean> {
  const ours = await handle.stat({ bigint: true });
  try {
    const { dev, ino } = await stat(file, { bigint: true });
    return dev !== ours.dev || ino !== ours.ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

async function readTail(handle: FileHandle, settings: NdjsonSinkSettings) {
  const { size } = await handle.stat();
  const start = Math.max(0, size - tailBytes);
  const tail = Buffer.alloc(size - start);
  await handle.read(tail, 0, tail.length, start);
  const end = tail.lastIndexOf(0x0a) + 1;
  const torn = tail.subarray(end).toString('utf8');
  if (!lineStart.startsWith(torn.slice(0, lineStart.length))) throw noLog(settings);
  const line = tail.subarray(end < 2 ? 0 : tail.lastIndexOf(0x0a, end - 2) + 1, end).toString('utf8');
  return { length: start + end, line: end === 0 ? null : line, isTorn: torn !== '' };
}

/** Returns the index of its entry in this log; -1 for a line of another log of the same authority. */
async function verifyLine(line: string, settings: NdjsonSinkSettings): Promise<number> {
  const { index, origin, hash } = parseLine(line, settings);
  // Another log of this authority, before or after a restore: each line names its own.
  if (origin !== settings.origin && firstOrigin(origin) === firstOrigin(settings.origin)) return -1;
  const [entry] = origin === settings.origin ? await settings.log.entries(index, index + 1) : [];
  if (entry === undefined || leafHashText(entry.bytes) !== hash) {
    throw new SallyportError(
      'config',
      `${settings.file} of log sink ${settings.name} belongs to another log: its last line is entry ${index} of ${origin}, which is not what the log ${settings.origin} has there; give the sink a file of its own`,
    );
  }
  return index;
}

function parseLine(line: string, settings: NdjsonSinkSettings) {
  const [, json = '{}'] = /^\{"log":(\{[^}]*\}),/.exec(line) ?? [];
  let log: { readonly [name: string]: unknown };
  try {
    log = JSON.parse(json) as typeof log;
  } catch {
    throw noLog(settings);
  }
  const { index, origin, leafHash: hash } = log;
  if (!Number.isSafeInteger(index) || typeof origin !== 'string' || typeof hash !== 'string') {
    throw noLog(settings);
  }
  return { index: index as number, origin, hash };
}

function noLog({ name, file }: NdjsonSinkSettings): SallyportError {
  return new SallyportError(
    'config',
    `${file} of log sink ${name} ends with a line that is not of a log: give the sink a file of its own`,
  );
}
