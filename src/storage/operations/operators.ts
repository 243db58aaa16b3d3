import type { NewEntry } from '#audit';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

const selectByTokenHash = statement((database, p: { hash: Uint8Array }) =>
  database.selectFrom('operator').select('name').where('token_hash', '=', p.hash),
);

const selectByName = statement((database, p: { name: string }) =>
  database.selectFrom('operator').select('name').where('name', '=', p.name),
);

const insertOperator = statement((database, p: { name: string; tokenHash: Uint8Array; now: number }) =>
  database.insertInto('operator').values({ name: p.name, token_hash: p.tokenHash, created_at: p.now }),
);

export function* operatorByTokenHash({ hash }: { hash: Uint8Array }): Operation<{ name: string } | null> {
  const row = yield* first(selectByTokenHash, { hash });
  return row === undefined ? null : { name: row.name };
}

export function* createOperator(act: {
  name: string;
  tokenHash: Uint8Array;
  now: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { name, tokenHash, now, entry } = act;
  if ((yield* first(selectByName, { name })) !== undefined) {
    throw new SallyportError('conflict', `an operator is named ${name} already`);
  }
  yield* run(insertOperator, { name, tokenHash, now });
  return { index: yield* append(entry) };
}
