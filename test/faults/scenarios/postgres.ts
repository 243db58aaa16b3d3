import type { PostgresCluster } from '../../harness/postgres-cluster.ts';
import { Arena } from '../arena.ts';
import { prepareLoad } from '../load.ts';
import type { Scenario } from '../scenario.ts';
import { wait } from '../waiting.ts';
import { openCluster, postgresObstacle } from './cluster.ts';

const size = { enrolling: 12, held: 1, renewing: 4, revoking: 1 };
const longestLoadMilliseconds = 700;
const longestAbsenceMilliseconds = 400;

type Stop = Parameters<PostgresCluster['stopServer']>[0];

/** The server goes under load and comes again; the node that asks it lives on. */
function serverGoes(signals: readonly Stop[]): Scenario {
  return {
    obstacle: postgresObstacle,
    async open(cleanup, random) {
      const cluster = await openCluster(cleanup);
      const arena = await Arena.onPostgres(cleanup, random, cluster);
      const { node, witness } = arena;
      return {
        async run(_at, random) {
          await arena.start();
          const load = await prepareLoad(arena, size);
          const signal = random.pick(signals);
          const [before, absent] = [
            random.below(longestLoadMilliseconds),
            random.below(longestAbsenceMilliseconds),
          ];
          const done = load();
          await wait(before);
          await cluster.stopServer(signal);
          witness.published(await node.checkpoint());
          await wait(absent);
          await cluster.startServer();
          await arena.endLeases();
          await done;
          const what = `${signal} after ${before} ms, absent for ${absent} ms`;
          return { what, reached: true, findings: await arena.broken() };
        },
      };
    },
  };
}

export const serverKilled = serverGoes(['SIGKILL']);
/** SIGINT is a fast shutdown, SIGQUIT an immediate one. */
export const serverStopped = serverGoes(['SIGINT', 'SIGQUIT']);
