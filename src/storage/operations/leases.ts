import { type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly now: number;
  readonly until: number;
}

const insertLease = statement((database, p: Lease) =>
  database
    .insertInto('lease')
    .values({ name: p.name, holder: p.holder, until_time: p.until })
    .onConflict((conflict) => conflict.column('name').doNothing()),
);

const takeOver = statement((database, p: Lease) =>
  database
    .updateTable('lease')
    .set({ holder: p.holder, until_time: p.until })
    .where('name', '=', p.name)
    .where((eb) => eb.or([eb('holder', '=', p.holder), eb('until_time', '<=', p.now)])),
);

/** Takes a lease that is free or has ended, or prolongs one's own. False: another holds it. */
export function* takeLease(lease: Lease): Operation<boolean> {
  return (yield* run(takeOver, lease)) === 1 || (yield* run(insertLease, lease)) === 1;
}
