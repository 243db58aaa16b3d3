import { SallyportError } from '#errors';
import { first, type Operation } from '../operation.ts';
import { statement } from '../statement.ts';

const selectSize = statement((database) => database.selectFrom('log_head').select('size'));

const countDevices = statement((database) =>
  database.selectFrom('device').select((eb) => eb.fn.countAll<number>().as('count')),
);

/** Of a database that has the tables, of whichever version. */
export function* isEmpty(): Operation<boolean> {
  const size = (yield* first(selectSize, {}))?.size ?? 0;
  const devices = (yield* first(countDevices, {}))?.count ?? 0;
  return size === 0 && devices === 0;
}

/** The same, for who needs an empty one. Throws 'conflict'. */
export function* assertEmpty(): Operation<void> {
  if (!(yield* isEmpty())) throw notEmpty();
}

export function notEmpty(): SallyportError {
  return new SallyportError(
    'conflict',
    'the database holds an authority already, or other tables: give an empty one, since nothing is overwritten',
  );
}
