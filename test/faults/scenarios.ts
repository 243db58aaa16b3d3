import type { Scenario } from './scenario.ts';
import { diskFull, fileLimit } from './scenarios/disk.ts';
import { killedUnderLoad } from './scenarios/load.ts';
import { headHeld, nodeKilled, nodePaused, nodePausedForLease } from './scenarios/nodes.ts';
import { ordersOnPostgres, ordersOnSqlite, pointsOnPostgres, pointsOnSqlite } from './scenarios/points.ts';
import { serverKilled, serverKilledAtOrder, serverStopped } from './scenarios/postgres.ts';

export const scenarios = {
  points: pointsOnSqlite,
  'points-postgres': pointsOnPostgres,
  orders: ordersOnSqlite,
  'orders-postgres': ordersOnPostgres,
  load: killedUnderLoad,
  'postgres-killed': serverKilled,
  'postgres-stopped': serverStopped,
  'orders-postgres-killed': serverKilledAtOrder,
  'node-killed': nodeKilled,
  'node-paused': nodePaused,
  'node-paused-for-lease': nodePausedForLease,
  'head-held': headHeld,
  'file-limit': fileLimit,
  'disk-full': diskFull,
} as const satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof scenarios;
