import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CompactRange, leafHash, type LogReader, type TreeHead, tileWidth } from '#audit';
import { erasedBy, type ErasedEntries, leafOf } from '#enrollment';
import { SallyportError } from '#errors';
import type { Afterwards } from '#storage';
import { errorCode } from '../files.ts';
import { afterwardsOf, type Event, eventOf } from './afterwards.ts';

/** What the log's copy elsewhere tells of the time after the backup. */
export interface SiemExport {
  /** Entries beyond the backup. */
  readonly entries: number;
  /** Entries between the backup's end and the last of these that the export does not have. */
  readonly missing: number;
  /** The signed checkpoint that was published last says that these entries are the log's, and that there were no others before it. */
  readonly proven: boolean;
  /** Of the newest entry that is proven, 0 where none is: an invented one must not set the authority's clock. */
  readonly newestTime: number;
  readonly afterwards: Afterwards;
  /** What was erased after the backup, and is there again with it. */
  readonly erased: readonly ErasedEntries[];
}

export interface ExportPorts {
  readonly origin: string;
  readonly size: number;
  /** CompactRange of the backup's log, serialised. */
  readonly range: Uint8Array;
  readonly log: LogReader;
  /** What was published last, where that is beyond the backup. */
  readonly published: TreeHead | null;
  readonly now: number;
}

interface Beyond {
  readonly leaf: Uint8Array;
  readonly event: Event | null;
  readonly erased: readonly ErasedEntries[];
  readonly time: number;
}

/**
 * Lines as the ndjson sink writes them, whole or as a SIEM gives them back: an entry has one canonical form, and so its hash can be computed
 * again, where it was opened with the salt that is in the line. Lines of other logs are passed over. Throws 'log' where a line is not what its hash says, or not what the backup has there.
 */
export async function readSiemExport(file: string, ports: ExportPorts): Promise<SiemExport> {
  const { origin, size, now, published } = ports;
  const leafAt = leavesOf(ports.log, size);
  const beyond = new Map<number, Beyond>();
  let ours = 0;
  for await (const { number, line, isLast } of linesOf(file)) {
    const parsed = parseLine(line);
    if (parsed === null) {
      // What a crash left half written.
      if (isLast) break;
      throw refused(file, number, 'is no line of a log');
    }
    if (parsed.origin !== origin) continue;
    ours += 1;
    const { index, leaf, entry } = parsed;
    if (!sameBytes(leaf, parsed.claimed)) {
      throw refused(file, number, `holds another entry ${index} than its hash says`);
    }
    const there = index < size ? await leafAt(index) : beyond.get(index)?.leaf;
    if (there !== undefined && !sameBytes(there, leaf)) {
      throw refused(
        file,
        number,
        `has another entry ${index} than ${index < size ? 'the backup' : 'a line before it'}`,
      );
    }
    if (index >= size) {
      const told = { event: eventOf(index, entry), erased: erasedBy(entry), time: timeOf(entry) };
      beyond.set(index, { leaf, ...told });
    }
  }
  if (ours === 0) throw new SallyportError('log', `${file} has no entry of the log ${origin}`);
  const inOrder = [...beyond].toSorted(([left], [right]) => left - right);
  const end = (inOrder.at(-1)?.[0] ?? size - 1) + 1;
  const proven = published !== null && isProven(published, ports, beyond);
  return {
    entries: beyond.size,
    missing: end - size - beyond.size,
    proven,
    newestTime: proven ? (beyond.get(published.size - 1)?.time ?? 0) : 0,
    afterwards: afterwardsOf(
      inOrder.flatMap(([, { event }]) => (event === null ? [] : [event])),
      now,
    ),
    erased: inOrder.flatMap(([, { erased }]) => erased),
  };
}

/** False: the export is not whole up to there. Throws 'log' where it is, and is another log. */
function isProven(
  published: TreeHead,
  { size, range }: ExportPorts,
  beyond: ReadonlyMap<number, Beyond>,
): boolean {
  const tree = CompactRange.restore(size, range);
  for (let index = size; index < published.size; index += 1) {
    const entry = beyond.get(index);
    if (entry === undefined) return false;
    tree.append(entry.leaf);
  }
  if (sameBytes(tree.root(), published.root)) return true;
  throw new SallyportError(
    'log',
    `the backup and the export together are not the log of ${published.size} entries that was published: one of them was changed`,
  );
}

async function* linesOf(file: string): AsyncGenerator<{ number: number; line: string; isLast: boolean }> {
  let number = 0;
  let held: string | null = null;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      if (held !== null) yield { number, line: held, isLast: false };
      number += 1;
      held = line;
    }
  } catch (cause) {
    throw new SallyportError('usage', `${file} cannot be read (${errorCode(cause)})`, { cause });
  }
  if (held !== null) yield { number, line: held, isLast: true };
}

type Members = Readonly<Record<string, unknown>>;

function parseLine(line: string) {
  try {
    const { log, entry } = JSON.parse(line) as { log: Members; entry: Members };
    const { origin, index, leafHash: claimed } = log;
    if (typeof origin !== 'string' || !Number.isSafeInteger(index) || typeof claimed !== 'string') {
      return null;
    }
    if (Number(index) < 0) return null;
    const salt = log['salt'];
    if (salt !== undefined && typeof salt !== 'string') return null;
    const leaf = leafHash(leafOf(entry, salt === undefined ? null : Buffer.from(salt, 'base64')));
    return { origin, index: Number(index), claimed: Buffer.from(claimed, 'base64'), leaf, entry };
  } catch {
    return null;
  }
}

/** The backup's own leaves, a tile at a time: lines come in the order of the log, or nearly so. */
function leavesOf(log: LogReader, size: number): (index: number) => Promise<Uint8Array | undefined> {
  let tile: { readonly from: number; readonly leaves: readonly Uint8Array[] } | null = null;
  return async (index) => {
    const from = index - (index % tileWidth);
    if (tile?.from !== from) {
      tile = { from, leaves: await log.hashes.read(0, from, Math.min(from + tileWidth, size)) };
    }
    return tile.leaves[index - from];
  };
}

function timeOf({ time }: Members): number {
  return typeof time === 'number' && Number.isFinite(time) ? time : 0;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function refused(file: string, line: number, words: string): SallyportError {
  return new SallyportError('log', `${file}:${line} ${words}: nothing was restored`);
}
