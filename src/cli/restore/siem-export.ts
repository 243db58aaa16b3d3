import { leafHash } from '#audit';
import { type ErasedEntries, leafOf } from '#enrollment';
import { SallyportError } from '#errors';
import type { Told } from './afterwards.ts';
import { byteLines } from './byte-lines.ts';
import type { BackupLogs } from './backup-logs.ts';
import { ExportedLog } from './exported-log.ts';
import type { PublishedLog } from './published-logs.ts';

/** What the logs' copy elsewhere tells of the time after the backup. */
export interface SiemExport {
  readonly counts: ExportCounts;
  /** The logs that are whole up to what they published last. */
  readonly whole: ReadonlySet<string>;
  /** Of the newest entry that is proven, 0 where none is: an invented one must not set the authority's clock. */
  readonly newestTime: number;
  /** What was erased after the backup, as is proven, and is there again with it. */
  readonly erased: readonly ErasedEntries[];
  /** In the order of the logs. */
  readonly told: readonly Told[];
}

export interface ExportCounts {
  /** That the backup does not have, of its own log and of those after it. */
  readonly entries: number;
  /** Of these: a signed checkpoint says that they are their log's, and that there were no others before them. */
  readonly proven: number;
  readonly unproven: number;
  /** That there must have been before these, or before a checkpoint, and that the export does not have. */
  readonly missing: number;
}

/**
 * Lines as the ndjson sink writes them, whole or as a SIEM gives them back: an entry has one canonical form, and so its hash can be computed
 * again, where it was opened with the salt that is in the line. Lines of other authorities are passed over. Throws 'log' where a line is not what
 * its hash says, or not what the backup has there.
 */
export async function readSiemExport(
  file: string,
  backup: BackupLogs,
  published: ReadonlyMap<string, PublishedLog>,
): Promise<SiemExport> {
  const logs = new Map<string, ExportedLog>();
  const logOf = (origin: string) => {
    let log = logs.get(origin);
    const held = log === undefined ? backup.logOf(origin) : null;
    if (held !== null) logs.set(origin, (log = new ExportedLog(held)));
    return log ?? null;
  };
  for await (const { number, text, isTorn } of byteLines(file)) {
    const line = text === null ? null : parseLine(text);
    if (line === null) {
      // What a crash left half written.
      if (isTorn) break;
      throw refused(file, number, 'is no line of a log');
    }
    const objection = await logOf(line.origin)?.add(line);
    if (typeof objection === 'string') throw refused(file, number, objection);
  }
  if ([...logs.values()].every(({ isBefore }) => isBefore)) {
    throw new SallyportError('log', `${file} has no entry of the log ${backup.origin}, nor of one after it`);
  }
  const inOrder = [...logs.values()].toSorted((left, right) => left.rank - right.rank);
  const ends = inOrder.map((log) => log.end(published.get(log.origin) ?? null));
  const sum = (of: (end: (typeof ends)[number]) => number) => ends.reduce((all, end) => all + of(end), 0);
  const entries = sum((end) => end.entries);
  const proven = sum((end) => end.proven);
  return {
    counts: { entries, proven, unproven: entries - proven, missing: sum(({ missing }) => missing) },
    whole: new Set(ends.flatMap(({ origin, isWhole }) => (isWhole ? [origin] : []))),
    newestTime: Math.max(...ends.map(({ newestTime }) => newestTime)),
    told: ends.flatMap(({ told }) => told),
    erased: ends.flatMap(({ erased }) => erased),
  };
}

type Members = Readonly<Record<string, unknown>>;

export interface ExportLine {
  readonly origin: string;
  readonly index: number;
  /** The leaf hash that the line names. */
  readonly claimed: Uint8Array;
  /** The leaf hash of its entry. */
  readonly leaf: Uint8Array;
  readonly entry: Members;
}

function parseLine(line: string): ExportLine | null {
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

function refused(file: string, line: number, words: string): SallyportError {
  return new SallyportError('log', `${file}:${line} ${words}: nothing was restored`);
}
