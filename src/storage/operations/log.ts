import {
  CompactRange,
  leafHash,
  maximumEntryLength,
  type NewEntry,
  type StoredBlob,
  type TileLevel,
} from '#audit';
import { SallyportError } from '#errors';
import { entryId } from '../entry-id.ts';
import { all, first, type Operation, run, together } from '../operation.ts';
import { placeOf } from '../place.ts';
import type { EarlierLogRow, LogHeadRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { keepBlobs, selectBlobs } from './blobs.ts';

const selectHead = statement((database) =>
  database
    .selectFrom('log_head')
    .select(['number', 'origin', 'size', 'hashes'])
    .orderBy('size', 'desc')
    .limit(1),
);

const insertHead = statement((database, p: { origin: string; hashes: Uint8Array }) =>
  database.insertInto('log_head').values({ id: 1, number: 0, origin: p.origin, size: 0, hashes: p.hashes }),
);

const moveHead = statement((database, p: { from: number; size: number; hashes: Uint8Array }) =>
  database
    .updateTable('log_head')
    .set({ size: p.size, hashes: p.hashes })
    .where('id', '=', 1)
    .where('size', '=', p.from),
);

const insertEntry = statement(
  (database, p: { idx: number; id: string; leafHash: Uint8Array; bytes: Uint8Array }) =>
    database.insertInto('log_entry').values({ idx: p.idx, id: p.id, leaf_hash: p.leafHash, bytes: p.bytes }),
);

const insertHash = statement((database, p: { level: number; idx: number; hash: Uint8Array }) =>
  database.insertInto('log_hash').values({ level: p.level, idx: p.idx, hash: p.hash }),
);

const selectEntries = statement((database, p: { from: number; to: number }) =>
  database
    .selectFrom('log_entry')
    .select(['idx', 'bytes'])
    .where('idx', '>=', p.from)
    .where('idx', '<', p.to)
    .orderBy('idx'),
);

const selectLeafHashes = statement((database, p: { from: number; to: number }) =>
  database
    .selectFrom('log_entry')
    .select('leaf_hash as hash')
    .where('idx', '>=', p.from)
    .where('idx', '<', p.to)
    .orderBy('idx'),
);

const selectHashes = statement((database, p: { level: number; from: number; to: number }) =>
  database
    .selectFrom('log_hash')
    .select('hash')
    .where('level', '=', p.level)
    .where('idx', '>=', p.from)
    .where('idx', '<', p.to)
    .orderBy('idx'),
);

const selectPlace = statement((database, p: { id: string; from: number; to: number }) =>
  database
    .selectFrom('log_entry')
    .select('idx')
    .where('id', '=', p.id)
    .where('idx', '>=', p.from)
    .where('idx', '<', p.to)
    .orderBy('idx', 'desc')
    .limit(1),
);

const insertEarlier = statement((database, p: EarlierLogRow) =>
  database.insertInto('earlier_log').values({
    number: p.number,
    origin: p.origin,
    size: p.size,
    hashes: p.hashes,
    note: p.note,
  }),
);

const replaceHead = statement((database, p: { number: number; origin: string; hashes: Uint8Array }) =>
  database
    .updateTable('log_head')
    .set({ number: p.number, origin: p.origin, size: 0, hashes: p.hashes })
    .where('id', '=', 1),
);

const deleteNote = statement((database) => database.deleteFrom('log_note'));

const deleteCursors = statement((database) => database.deleteFrom('sink'));

const selectEarlier = statement((database) =>
  database.selectFrom('earlier_log').selectAll().orderBy('number'),
);

const selectDeviceId = statement((database, p: { id: string }) =>
  database.selectFrom('device').select('id').where('id', '=', p.id),
);

type Head = Pick<LogHeadRow, 'number' | 'origin' | 'size' | 'hashes'>;

/** The most entries that one reading returns. */
const maximumEntries = 1024;

/** The entries whose blobs one reading returns: some are as large as a request may be. */
const maximumBlobEntries = 256;

/** Of a database that is about to be an authority's: a log begins once. Throws 'conflict' where there is one. */
export function* beginLog({ origin }: { origin: string }): Operation<void> {
  if ((yield* first(selectHead, {})) !== undefined) {
    throw new SallyportError('conflict', 'the database holds a log already');
  }
  yield* run(insertHead, { origin, hashes: CompactRange.empty().toBytes() });
}

/**
 * Whoever serves goes on with a log, and never begins one: under the name and key of a log that was lost, the empty one would be a fork of it.
 * Throws 'log' where there is none, 'config' where the database holds the log of another origin.
 */
export function* openLog({ origin }: { origin: string }): Operation<void> {
  const head = yield* first(selectHead, {});
  if (head === undefined) {
    throw new SallyportError(
      'log',
      'the database holds no log: see that it is the right one, or put a backup into it with `sallyport restore`',
    );
  }
  if (head.origin !== origin) {
    throw new SallyportError(
      'config',
      `the database holds the log ${head.origin}, not ${origin}: name it as log.origin, if it was restored`,
    );
  }
}

/**
 * Appends inside the transaction that the entry tells of. The index is given under the head's row, and the head is read from there each
 * time: what a rollback takes back is nowhere else.
 */
export function* append(entry: NewEntry): Operation<number> {
  const head = yield* readHead();
  yield* appendBehind(head, entry);
  return head.size;
}

/** The same behind the head that was read in this transaction: the entry's place is known before it stands there. */
export function* appendBehind(
  { number: log, size: index, hashes }: Head,
  { bytes, blobs }: NewEntry,
): Operation<void> {
  if (bytes.length > maximumEntryLength) {
    throw new SallyportError('too-large', `a log entry has at most ${maximumEntryLength} octets`);
  }
  const range = CompactRange.restore(index, hashes);
  const leaf = leafHash(bytes);
  const completed = range.append(leaf);
  const place = placeOf(log, index);
  yield* together(
    run(insertEntry, { idx: place, id: entryId(bytes), leafHash: leaf, bytes }),
    keepBlobs(place, blobs),
    ...completed.map(({ level, index: at, hash }) =>
      run(insertHash, { level, idx: placeOf(log, at, level), hash }),
    ),
    move({ from: index, size: range.size, hashes: range.toBytes() }),
  );
}

function* move(head: { from: number; size: number; hashes: Uint8Array }): Operation<void> {
  if ((yield* run(moveHead, head)) !== 1) {
    throw new SallyportError('store', 'the log was appended to by another writer');
  }
}

/** Throws 'conflict' where a device that the entry names is not there any more: erased since, and nobody would erase it here. */
export function* record({
  entry,
  naming = [],
}: {
  entry: NewEntry;
  naming?: readonly string[];
}): Operation<{ index: number }> {
  for (const id of naming) {
    if ((yield* first(selectDeviceId, { id })) === undefined) {
      throw new SallyportError('conflict', `device ${id} is not there any more`);
    }
  }
  return { index: yield* append(entry) };
}

export function* readHead(): Operation<Head> {
  const head = yield* first(selectHead, {});
  if (head === undefined) throw new SallyportError('store', 'the database has no log');
  return head;
}

/** The log that is written ends with the entries that it has, and `note` signs them; the next one begins, empty, under its own name. */
export function* beginNextLog({ origin, note }: { origin: string; note: string }): Operation<void> {
  const { number, origin: ended, size, hashes } = yield* readHead();
  if ([ended, ...(yield* earlierLogs()).map((log) => log.origin)].includes(origin)) {
    throw new SallyportError('conflict', `the database has a log ${origin} already`);
  }
  yield* run(insertEarlier, { number, origin: ended, size, hashes, note });
  yield* run(replaceHead, { number: number + 1, origin, hashes: CompactRange.empty().toBytes() });
  yield* run(deleteNote, {});
  // A sink has nothing of the new log.
  yield* run(deleteCursors, {});
}

/** Logs that ended, oldest first. */
export function* earlierLogs(): Operation<readonly EarlierLogRow[]> {
  return yield* all(selectEarlier, {});
}

/** Of the log with this number; undefined: of the one that is written. */
type OfLog = { readonly log?: number | undefined };

function* numberOf({ log }: OfLog): Operation<number> {
  return log ?? (yield* readHead()).number;
}

export function* entries(range: OfLog & { from: number; to: number }) {
  const { from, to } = range;
  if (to - from > maximumEntries) {
    throw new SallyportError('too-large', `at most ${maximumEntries} entries are read at once`);
  }
  const first = placeOf(yield* numberOf(range), 0);
  const rows = yield* all(selectEntries, { from: first + from, to: first + to });
  return rows.map(({ idx, bytes }) => ({ index: idx - first, bytes }));
}

export function* blobs(range: OfLog & { from: number; to: number }): Operation<readonly StoredBlob[]> {
  const { from, to } = range;
  if (to - from > maximumBlobEntries) {
    throw new SallyportError('too-large', `blobs of at most ${maximumBlobEntries} entries are read at once`);
  }
  const first = placeOf(yield* numberOf(range), 0);
  const rows = yield* all(selectBlobs, { from: first + from, to: first + to });
  return rows.map(({ place, address, salt, bytes }) => ({ index: place - first, address, salt, bytes }));
}

export function* hashes(
  tile: OfLog & { level: TileLevel; from: number; to: number },
): Operation<readonly Uint8Array[]> {
  const { level } = tile;
  const log = yield* numberOf(tile);
  const places = { level, from: placeOf(log, tile.from, level), to: placeOf(log, tile.to, level) };
  const rows = level === 0 ? yield* all(selectLeafHashes, places) : yield* all(selectHashes, places);
  return rows.map(({ hash }) => hash);
}

export function* find(query: OfLog & { id: string }): Operation<number | null> {
  const log = yield* numberOf(query);
  const places = { from: placeOf(log, 0), to: placeOf(log + 1, 0) };
  const found = yield* first(selectPlace, { id: query.id, ...places });
  return found === undefined ? null : found.idx - places.from;
}
