import type { Cleanup } from '../../harness/authority.ts';
import { Arena } from '../arena.ts';
import { prepareLoad } from '../load.ts';
import { leavesIntent, recoveryPoints, servingPoints } from '../points.ts';
import type { Random } from '../random.ts';
import type { Faults, Scenario } from '../scenario.ts';
import { openCluster, postgresObstacle } from './cluster.ts';

const points = [...servingPoints, ...recoveryPoints];
const size = { enrolling: 4, held: 2, renewing: 2, revoking: 2 };

/** kill -9 at each named point in turn, the first or second time that it is reached. */
function atEachPoint(open: (cleanup: Cleanup, random: Random) => Promise<Arena>): Scenario['open'] {
  return async (cleanup, random) => {
    const arena = await open(cleanup, random);
    return { run: (at, random) => killAt(arena, points[at % points.length]!, random) };
  };
}

export const pointsOnSqlite: Scenario = {
  obstacle: () => null,
  open: atEachPoint((cleanup, random) => Arena.onSqlite(cleanup, random)),
};

export const pointsOnPostgres: Scenario = {
  obstacle: postgresObstacle,
  open: atEachPoint(async (cleanup, random) => Arena.onPostgres(cleanup, random, await openCluster(cleanup))),
};

async function killAt(arena: Arena, point: string, random: Random): ReturnType<Faults['run']> {
  const { node, witness } = arena;
  await arena.start();
  const load = await prepareLoad(arena, size);
  const inRecovery = recoveryPoints.includes(point);
  // What clients do is done by several of them; what the authority does by itself may be done once.
  const nth = /^(?:sink|checkpoint|saveNote|saveSinkCursor)/.test(point) ? 1 : 1 + random.below(2);
  await node.arm({ point: inRecovery ? leavesIntent : point, nth, signal: 'SIGKILL' });
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
  return { what: `${point} ${nth}`, reached, findings: await arena.broken() };
}
