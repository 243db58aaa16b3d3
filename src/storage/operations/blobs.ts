import type { Blob, StoredBlob } from '#audit';
import { SallyportError } from '#errors';
import { all, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

const insertBlob = statement((database, p: Blob & { readonly index: number }) =>
  database.insertInto('blob').values({ log_idx: p.index, address: p.address, salt: p.salt, bytes: p.bytes }),
);

const selectBlobs = statement((database, p: { from: number; to: number }) =>
  database
    .selectFrom('blob')
    .select(['log_idx as index', 'address', 'salt', 'bytes'])
    .where('log_idx', '>=', p.from)
    .where('log_idx', '<', p.to)
    .orderBy('log_idx')
    .orderBy('address'),
);

/** The entries whose blobs one reading returns: some are as large as a request may be. */
const maximumEntries = 256;

export function* keepBlobs(index: number, blobs: readonly Blob[]): Operation<void> {
  for (const { address, salt, bytes } of blobs) yield* run(insertBlob, { index, address, salt, bytes });
}

export function* blobs(range: { from: number; to: number }): Operation<readonly StoredBlob[]> {
  if (range.to - range.from > maximumEntries) {
    throw new SallyportError('too-large', `blobs of at most ${maximumEntries} entries are read at once`);
  }
  return yield* all(selectBlobs, range);
}
