import type { Cleanup } from '../../harness/authority.ts';
import { Arena } from '../arena.ts';
import { type LoadSize, prepareLoad } from '../load.ts';
import {
  leavesAnswer,
  leavesIntent,
  orderingPoints,
  recoveryPoints,
  servingPoints,
  takeoverPoints,
} from '../points.ts';
import type { Random } from '../random.ts';
import type { Faults, Scenario } from '../scenario.ts';
import { openCluster, postgresObstacle } from './cluster.ts';

/** Points of a load, and of the start after a crash at `left`. */
interface Course {
  readonly size: LoadSize;
  readonly points: readonly string[];
  readonly recovery: readonly string[];
  readonly left: string;
}

const enrolling: Course = {
  size: { est: { enrolling: 3, attesting: 3, held: 2, renewing: 2, revoking: 2 }, activating: 3 },
  points: servingPoints,
  recovery: recoveryPoints,
  left: leavesIntent,
};

export const ordersSize: LoadSize = {
  acme: { enrolling: 3, held: 2, renewing: 1, revoking: 2, presuming: 1 },
};

const ordering: Course = {
  size: ordersSize,
  points: orderingPoints,
  recovery: takeoverPoints,
  left: leavesAnswer,
};

type Open = (cleanup: Cleanup, random: Random) => Promise<Arena>;

/** kill -9 at each named point in turn, the first or second time that it is reached. */
function atEachPoint(course: Course, open: Open): Scenario['open'] {
  return async (cleanup, random) => {
    const arena = await open(cleanup, random);
    const plans = [
      ...course.points.map((point) => ({ point, inRecovery: false })),
      ...course.recovery.map((point) => ({ point, inRecovery: true })),
    ];
    return { run: (at, random) => killAt(arena, course, plans[at % plans.length]!, random) };
  };
}

const onSqlite = (course: Course): Scenario => ({
  obstacle: () => null,
  open: atEachPoint(course, (cleanup, random) => Arena.onSqlite(cleanup, random)),
});

const onPostgres = (course: Course): Scenario => ({
  obstacle: postgresObstacle,
  open: atEachPoint(course, async (cleanup, random) =>
    Arena.onPostgres(cleanup, random, await openCluster(cleanup)),
  ),
});

export const pointsOnSqlite = onSqlite(enrolling);
export const pointsOnPostgres = onPostgres(enrolling);
export const ordersOnSqlite = onSqlite(ordering);
export const ordersOnPostgres = onPostgres(ordering);

async function killAt(
  arena: Arena,
  { size, left }: Course,
  { point, inRecovery }: { readonly point: string; readonly inRecovery: boolean },
  random: Random,
): ReturnType<Faults['run']> {
  const { node, witness } = arena;
  await arena.start();
  const load = await prepareLoad(arena, size);
  // What clients do is done by several of them; what the authority does by itself may be done once.
  const nth = /^(?:sink|checkpoint|saveNote|saveSinkCursor)/.test(point) ? 1 : 1 + random.below(2);
  await node.arm({ point: inRecovery ? left : point, nth, signal: 'SIGKILL' });
  const done = load();
  await Promise.race([node.ends(20_000), done.then(() => node.ends(1_500))]);
  let reached = await node.isCarriedOut();
  await node.stop();
  await node.disarm();
  witness.published(await node.checkpoint());
  await arena.endLeases();
  if (inRecovery) {
    await node.arm({ point, nth: 1, signal: 'SIGKILL' });
    // It may end before it is ready.
    await node.start().catch(() => undefined);
    await node.ends(5_000);
    reached = await node.isCarriedOut();
    await node.stop();
    await node.disarm();
    witness.published(await node.checkpoint());
    await arena.endLeases();
  }
  await arena.start();
  await done;
  const what = `${point} ${nth}${inRecovery ? ' of the next start' : ''}`;
  return { what, reached, findings: await arena.broken() };
}
