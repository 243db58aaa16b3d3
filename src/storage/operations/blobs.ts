import type { Blob } from '#audit';
import { type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

const insertBlob = statement((database, p: Blob & { readonly place: number }) =>
  database.insertInto('blob').values({ log_idx: p.place, address: p.address, salt: p.salt, bytes: p.bytes }),
);

export const selectBlobs = statement((database, p: { from: number; to: number }) =>
  database
    .selectFrom('blob')
    .select(['log_idx as place', 'address', 'salt', 'bytes'])
    .where('log_idx', '>=', p.from)
    .where('log_idx', '<', p.to)
    .orderBy('log_idx')
    .orderBy('address'),
);

/** `place`: of the entry that names them. */
export function* keepBlobs(place: number, blobs: readonly Blob[]): Operation<void> {
  for (const { address, salt, bytes } of blobs) yield* run(insertBlob, { place, address, salt, bytes });
}
