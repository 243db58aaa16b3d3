import type { Blob } from '#audit';
import { type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

const insertBlob = statement((database, p: Blob & { readonly place: number }) =>
  database.insertInto('blob').values({ log_idx: p.place, address: p.address, salt: p.salt, bytes: p.bytes }),
);

type Pair = Blob & {
  readonly place: number;
  readonly secondAddress: Uint8Array;
  readonly secondSalt: Uint8Array;
  readonly secondBytes: Uint8Array;
};

/** Personal fields and certification request of one entry: over a network, one statement is one way there and back. */
const insertPair = statement((database, p: Pair) =>
  database.insertInto('blob').values([
    { log_idx: p.place, address: p.address, salt: p.salt, bytes: p.bytes },
    { log_idx: p.place, address: p.secondAddress, salt: p.secondSalt, bytes: p.secondBytes },
  ]),
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
  const [first, second, ...others] = blobs;
  if (first === undefined) return;
  if (second === undefined) {
    yield* run(insertBlob, { ...first, place });
    return;
  }
  const { address: secondAddress, salt: secondSalt, bytes: secondBytes } = second;
  yield* run(insertPair, { ...first, place, secondAddress, secondSalt, secondBytes });
  yield* keepBlobs(place, others);
}
