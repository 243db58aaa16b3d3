import { CompactRange, type LogReader, type NoteVerifier, parseVerifierKey, type TreeHead } from '#audit';
import { type FirstEntry, parseFirstEntry, type PreviousLog } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';

/** One log of a database: the one that is written, or one that ended when a backup was restored. */
export interface LogOfStorage {
  readonly number: number;
  readonly origin: string;
  readonly reader: LogReader;
  /** What the database says of it. */
  readonly head: TreeHead;
  /** CompactRange, serialised. */
  readonly range: Uint8Array;
  /** The note over all of an earlier log; null: it is the one that is written. */
  readonly ended: string | null;
  /** Its own first entry; in words why there is none. */
  readonly first: FirstEntry | string;
}

/** Oldest first. The last is the one that is written. */
export async function logsOf(storage: ReadOnlyStorage): Promise<readonly LogOfStorage[]> {
  const earlier = await storage.log.earlier();
  const current = { origin: await storage.origin(), head: await storage.log.head(), note: null };
  const logs = [
    ...earlier.map((log) => ({ ...log, reader: log })),
    { ...current, number: (earlier.at(-1)?.number ?? -1) + 1, reader: storage.log },
  ];
  return Promise.all(
    logs.map(async ({ number, origin, reader, head: { size, range }, note }) => ({
      number,
      origin,
      reader,
      head: { size, root: rootOf(origin, size, range) },
      range,
      ended: note,
      first: await firstOf(reader),
    })),
  );
}

/** What the log after it says of this one, as far as it can be used; the rest is reported. */
export function linkOf(
  log: LogOfStorage,
  next: LogOfStorage,
  report: (message: string) => void,
): { verifierKey: string; verifier: NoteVerifier } | null {
  const previous = typeof next.first === 'string' ? null : next.first.previous;
  if (previous === null) {
    report(`the log ${next.origin} came after it, and does not say so in its first entry`);
    return null;
  }
  const difference = differenceOf(log, previous);
  if (difference !== null) {
    report(`the first entry of ${next.origin} names another ${difference} of the log that it follows`);
  }
  try {
    return { verifierKey: previous.log, verifier: parseVerifierKey(previous.log) };
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    report(`the first entry of ${next.origin} names no key of the log that it follows: ${error.message}`);
    return null;
  }
}

function differenceOf(log: LogOfStorage, previous: PreviousLog): string | null {
  if (previous.origin !== log.origin) return 'origin';
  if (previous.size !== log.head.size) return 'size';
  if (previous.root !== Buffer.from(log.head.root).toString('base64')) return 'root';
  return previous.checkpoint === log.ended ? null : 'checkpoint';
}

/** Throws 'log' where the head is none: then there is no tree to compare with. */
function rootOf(origin: string, size: number, range: Uint8Array): Uint8Array {
  try {
    return CompactRange.restore(size, range).root();
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('log', `the head of the log ${origin} does not fit its size: ${cause.message}`, {
      cause,
    });
  }
}

async function firstOf(reader: LogReader): Promise<FirstEntry | string> {
  const [entry] = await reader.entries(0, 1);
  try {
    return parseFirstEntry(entry?.bytes);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return error.message;
  }
}
