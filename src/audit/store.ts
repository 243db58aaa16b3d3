import type { Blob } from './blob.ts';
import type { TileHashes } from './tile-hashes.ts';

/** A log as it is read. */
export interface LogReader {
  /** Entries [from, to), in order; at most 1,024 a call. */
  entries(
    from: number,
    to: number,
  ): Promise<readonly { readonly index: number; readonly bytes: Uint8Array }[]>;
  /** What is kept beside the entries [from, to), in their order; of at most 256 of them a call. */
  blobs(from: number, to: number): Promise<readonly StoredBlob[]>;
  readonly hashes: TileHashes;
  /** Index of the entry with this id (request id, act id); null when there is none. */
  find(id: string): Promise<number | null>;
}

/** What the log's readers and its checkpoint publisher ask of the store. */
export interface LogStore extends LogReader {
  /** The log's head: number of entries and the compact range over them, as one transaction left it. */
  head(): Promise<LogHead>;
  /** The logs that this one follows, oldest first: each ended when a backup of it was restored. */
  earlier(): Promise<readonly EarlierLog[]>;
  /** The newest signed checkpoint kept in the database. */
  note(): Promise<string | null>;
  saveNote(size: number, note: string): Promise<void>;
  /** How far a sink has acknowledged: entries below this index are delivered. */
  sinkCursor(sink: string): Promise<number>;
  saveSinkCursor(sink: string, index: number): Promise<void>;
}

/** Of the entry with that index. */
export interface StoredBlob extends Blob {
  readonly index: number;
}

export interface LogHead {
  readonly size: number;
  /** CompactRange, serialised. */
  readonly range: Uint8Array;
}

/** A log that is read only, and never grows again. */
export interface EarlierLog extends LogReader {
  /** 0 for the first log of the database. */
  readonly number: number;
  readonly origin: string;
  readonly head: LogHead;
  /** Signed checkpoint over all of it. */
  readonly note: string;
}
