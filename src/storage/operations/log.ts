import { type Blob, CompactRange, leafHash, maximumEntryLength, type TileLevel } from '#audit';
import { SallyportError } from '#errors';
import { entryId } from '../entry-id.ts';
import { all, first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';
import { keepBlobs } from './blobs.ts';

const selectHead = statement((database) =>
  database.selectFrom('log_head').select(['origin', 'size', 'hashes']).where('id', '=', 1),
);

const insertHead = statement((database, p: { origin: string; hashes: Uint8Array }) =>
  database.insertInto('log_head').values({ id: 1, origin: p.origin, size: 0, hashes: p.hashes }),
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
    .select(['idx as index', 'bytes'])
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

const selectIndex = statement((database, p: { id: string }) =>
  database.selectFrom('log_entry').select('idx').where('id', '=', p.id).orderBy('idx', 'desc').limit(1),
);

/** The most entries that one reading returns. */
const maximumEntries = 1024;

/** Makes the log at the first opening. Throws 'config' where the database holds the log of another origin. */
export function* openLog({ origin }: { origin: string }): Operation<void> {
  const head = yield* first(selectHead, {});
  if (head === undefined) {
    yield* run(insertHead, { origin, hashes: CompactRange.empty().toBytes() });
  } else if (head.origin !== origin) {
    throw new SallyportError('config', `the database holds the log ${head.origin}, not ${origin}`);
  }
}

/**
 * Appends inside the transaction that the entry tells of. The index is given under the head's row, and the head is read from there each
 * time: what a rollback takes back is nowhere else. `blobs` are what the entry names.
 */
export function* append(bytes: Uint8Array, blobs: readonly Blob[] = []): Operation<number> {
  if (bytes.length > maximumEntryLength) {
    throw new SallyportError('too-large', `a log entry has at most ${maximumEntryLength} octets`);
  }
  const { size: index, hashes } = yield* readHead();
  const range = CompactRange.restore(index, hashes);
  const leaf = leafHash(bytes);
  const completed = range.append(leaf);
  yield* run(insertEntry, { idx: index, id: entryId(bytes), leafHash: leaf, bytes });
  yield* keepBlobs(index, blobs);
  for (const { level, index: idx, hash } of completed) yield* run(insertHash, { level, idx, hash });
  const moved = yield* run(moveHead, { from: index, size: range.size, hashes: range.toBytes() });
  if (moved !== 1) throw new SallyportError('store', 'the log was appended to by another writer');
  return index;
}

export function* record({
  entry,
  blobs,
}: {
  entry: Uint8Array;
  blobs?: readonly Blob[] | undefined;
}): Operation<{ index: number }> {
  return { index: yield* append(entry, blobs) };
}

export function* readHead(): Operation<{ origin: string; size: number; hashes: Uint8Array }> {
  const head = yield* first(selectHead, {});
  if (head === undefined) throw new SallyportError('store', 'the database has no log');
  return head;
}

export function* entries(range: { from: number; to: number }) {
  if (range.to - range.from > maximumEntries) {
    throw new SallyportError('too-large', `at most ${maximumEntries} entries are read at once`);
  }
  return yield* all(selectEntries, range);
}

export function* hashes(tile: {
  level: TileLevel;
  from: number;
  to: number;
}): Operation<readonly Uint8Array[]> {
  const rows = tile.level === 0 ? yield* all(selectLeafHashes, tile) : yield* all(selectHashes, tile);
  return rows.map(({ hash }) => hash);
}

export function* find({ id }: { id: string }): Operation<number | null> {
  return (yield* first(selectIndex, { id }))?.idx ?? null;
}
