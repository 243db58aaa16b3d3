import type { Blob } from '../blob.ts';
import type { LogStore } from '../store.ts';

/** One entry on its way out, with its place in the log: a receiver sees gaps and repetitions by the index. */
export interface SinkEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** What is kept beside it; empty for a sink that does not open entries. */
  readonly blobs: readonly Blob[];
}

/**
 * A receiver outside. `deliver` resolves only when the receiver has acknowledged all: then the cursor moves. What was
 * delivered and not acknowledged is delivered again, so a receiver drops what it has by index.
 */
export interface Sink {
  readonly name: string;
  /** The entry that the receiver lacks first, where it can tell: whatever the cursor says, nothing behind it is left out. Null: it cannot. */
  readonly lacks: number | null;
  /** It passes entries on with their personal fields. */
  readonly opens: boolean;
  deliver(entries: readonly SinkEntry[]): Promise<void>;
  close(): Promise<void>;
}

const batch = 256;

/**
 * Moves what is new to the sink, up to the log's size and at most so many entries: a receiver that was away for a week, and one that is new to an old log,
 * are served beside the devices and not before them. Returns how many; throws what the sink throws, and then the cursor stands.
 */
export async function drain(
  sink: Sink,
  log: Pick<LogStore, 'entries' | 'blobs' | 'sinkCursor' | 'saveSinkCursor'>,
  size: number,
  most = Infinity,
): Promise<number> {
  const saved = await log.sinkCursor(sink.name);
  let cursor = Math.min(saved, sink.lacks ?? saved);
  const start = cursor;
  const stop = Math.min(size, start + most);
  while (cursor < stop) {
    const end = Math.min(cursor + batch, stop);
    const [entries, blobs] = await Promise.all([
      log.entries(cursor, end),
      sink.opens ? log.blobs(cursor, end) : [],
    ]);
    if (entries.length === 0) break;
    const byEntry = Map.groupBy(blobs, ({ index }) => index);
    await sink.deliver(entries.map((entry) => ({ ...entry, blobs: byEntry.get(entry.index) ?? [] })));
    cursor += entries.length;
    await log.saveSinkCursor(sink.name, cursor);
  }
  return cursor - start;
}
