import type { PostgresCluster } from '../../harness/postgres-cluster.ts';
import { Arena } from '../arena.ts';
import { type LoadSize, prepareLoad } from '../load.ts';
import { orderingPoints } from '../points.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import type { Victim } from '../victim.ts';
import { wait } from '../waiting.ts';
import { openCluster, postgresObstacle } from './cluster.ts';
import { ordersSize } from './points.ts';

const size = {
  est: { enrolling: 7, attesting: 2, held: 1, renewing: 3, revoking: 1 },
  activating: 2,
  acme: { enrolling: 3, held: 1, renewing: 1, revoking: 0, presuming: 1 },
};
const longestLoadMilliseconds = 700;
const longestAbsenceMilliseconds = 400;

type Stop = Parameters<PostgresCluster['stopServer']>[0];

/** When the server goes. It is arranged before the load begins; `comes` resolves then, to false where it did not come in time. */
type Moment = (
  node: Victim,
  at: number,
  random: Random,
) => Promise<{ readonly what: string; comes(): Promise<boolean> }>;

const anyMoment: Moment = async (_node, _at, random) => {
  const milliseconds = random.below(longestLoadMilliseconds);
  return {
    what: `after ${milliseconds} ms`,
    async comes() {
      await wait(milliseconds);
      return true;
    },
  };
};

/** While the node stands still at each point of an order in turn. */
const atPointOfOrder: Moment = async (node, at, random) => {
  const point = orderingPoints[at % orderingPoints.length]!;
  await node.arm({ point, nth: 1 + random.below(2), signal: 'SIGSTOP' });
  return { what: `at ${point}`, comes: () => node.standsStill(5_000) };
};

/** The server goes under load and comes again; the node that asks it lives on. */
function serverGoes(load: LoadSize, signals: readonly Stop[], moment: Moment): Scenario {
  return {
    obstacle: postgresObstacle,
    async open(cleanup, random) {
      const cluster = await openCluster(cleanup);
      const arena = await Arena.onPostgres(cleanup, random, cluster);
      const { node, witness } = arena;
      return {
        async run(at, random) {
          await arena.start();
          const begin = await prepareLoad(arena, load);
          const signal = random.pick(signals);
          const { what, comes } = await moment(node, at, random);
          const absent = random.below(longestAbsenceMilliseconds);
          const done = begin();
          const reached = await comes();
          await cluster.stopServer(signal);
          node.resume();
          witness.published(await node.checkpoint());
          await wait(absent);
          await cluster.startServer();
          await arena.endLeases();
          await done;
          const findings = await arena.broken();
          return { what: `${signal} ${what}, absent for ${absent} ms`, reached, findings };
        },
      };
    },
  };
}

export const serverKilled = serverGoes(size, ['SIGKILL'], anyMoment);
/** SIGINT is a fast shutdown, SIGQUIT an immediate one. */
export const serverStopped = serverGoes(size, ['SIGINT', 'SIGQUIT'], anyMoment);
export const serverKilledAtOrder = serverGoes(ordersSize, ['SIGKILL'], atPointOfOrder);
