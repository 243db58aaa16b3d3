import type { NodeAct, NodeStanding } from '#admin';
import { all, first, type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';

const selectNode = statement((database, p: { name: string }) =>
  database.selectFrom('node').select(['holder', 'until_time']).where('name', '=', p.name),
);

const upsertNode = statement((database, p: NodeAct) =>
  database
    .insertInto('node')
    .values({
      name: p.name,
      holder: p.holder,
      until_time: p.until,
      references_digest: p.references,
      policies_digest: p.policies,
    })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        holder: p.holder,
        until_time: p.until,
        references_digest: p.references,
        policies_digest: p.policies,
      }),
    ),
);

const selectOthers = statement((database, p: { name: string; now: number }) =>
  database
    .selectFrom('node')
    .select(['name', 'references_digest', 'policies_digest', 'until_time'])
    .where('name', '<>', p.name)
    .where('until_time', '>', p.now)
    .orderBy('name'),
);

const deleteNode = statement((database, p: { name: string; holder: string }) =>
  database.deleteFrom('node').where('name', '=', p.name).where('holder', '=', p.holder),
);

/** Under the head of the log, as all that is written: of two processes that ask at once, one is the second. */
export function* holdNode(act: NodeAct): Operation<NodeStanding> {
  const found = yield* first(selectNode, { name: act.name });
  const isTaken = found !== undefined && found.holder !== act.holder && found.until_time > act.now;
  if (isTaken) return { takenUntil: found.until_time, others: [] };
  // Each time is later than the last, where the clock stands still too: whoever waits for the name sees by it that this one lives.
  const last = found?.holder === act.holder ? found.until_time : 0;
  yield* run(upsertNode, { ...act, until: Math.max(act.until, last + 1) });
  const rows = yield* all(selectOthers, { name: act.name, now: act.now });
  const others = rows.map(({ name, references_digest, policies_digest, until_time }) => ({
    name,
    references: references_digest,
    policies: policies_digest,
    until: until_time,
  }));
  return { takenUntil: null, others };
}

export function* releaseNode(held: { name: string; holder: string }): Operation<void> {
  yield* run(deleteNode, held);
}
