import { Arena } from '../arena.ts';
import { prepareLoad } from '../load.ts';
import type { Random } from '../random.ts';
import type { RunResult, Scenario } from '../scenario.ts';
import { wait } from '../waiting.ts';
import { openCluster, postgresObstacle } from './cluster.ts';

const size = {
  est: { enrolling: 7, attesting: 2, held: 1, renewing: 3, revoking: 1 },
  activating: 2,
  acme: { enrolling: 3, held: 1, renewing: 1, revoking: 1, presuming: 1 },
};
const longestLoadMilliseconds = 700;

type Run = (arena: Arena, random: Random) => Promise<RunResult>;

/** Runs on two nodes over one database, in turn. */
function onTwoNodes(...runs: readonly Run[]): Scenario {
  return {
    obstacle: postgresObstacle,
    async open(cleanup, random) {
      const cluster = await openCluster(cleanup);
      const arena = await Arena.onPostgres(cleanup, random, cluster, ['node-1', 'node-2']);
      return {
        async run(at, random) {
          await arena.start();
          return runs[at % runs.length]!(arena, random);
        },
      };
    },
  };
}

/** What one node has done, and the other must make public. */
const leftToOthers = [
  'revokeCertificate:committed',
  'revokeCertificate:answered',
  'saveCrl:asked',
  'saveCrl:performed',
  'close:committed',
  'reserve:answered',
  'saveNote:committed',
  'respond:answered',
  'validated:asked',
];

/** One node is killed, at any moment or at a point, and what it left is done by the other alone: certificates, sweep and CRL. */
async function killOne(arena: Arena, random: Random): Promise<RunResult> {
  const { witness } = arena;
  const load = await prepareLoad(arena, size);
  const [dead, other] = random.below(2) === 0 ? arena.nodes : arena.nodes.toReversed();
  const milliseconds = random.below(longestLoadMilliseconds);
  const point = random.below(2) === 0 ? null : random.pick(leftToOthers);
  if (point !== null) await dead!.arm({ point, nth: 1, signal: 'SIGKILL' });
  const done = load();
  if (point === null) await wait(milliseconds);
  else await Promise.race([dead!.ends(3_000), done]);
  const reached = point === null || (await dead!.isCarriedOut());
  await dead!.stop();
  await dead!.disarm();
  witness.published(await dead!.checkpoint());
  await arena.endLeases();
  await done;
  const alone = await arena.broken([other!]);
  await arena.start();
  const findings = [...alone, ...(await arena.broken())];
  return { what: point ?? `after ${milliseconds} ms`, reached, findings };
}

/** Where the way of a certificate, or of an order, has something to lose by standing still. */
const pausedAt = [
  'observe:answered',
  'reserve:asked',
  'reserve:committed',
  'reserve:answered',
  'signature:made',
  'close:asked',
  'close:committed',
  'close:answered',
  'answer:before',
  'giveActivation:answered',
  'takeActivation:committed',
  'takeActivation:answered',
  'createAccount:committed',
  'createOrder:committed',
  'respond:answered',
  'validated:asked',
  'validated:committed',
  'certificate:before',
];

/** How a pause ends: behind the lease, as all clocks have it, or before. */
type Pause = (arena: Arena, random: Random) => Promise<string>;

/**
 * One node stands still between two steps of a certificate, and goes on later. Meanwhile its clients ask the other one. It must deliver nothing
 * that was swept.
 */
function pauseOne(pause: Pause): Run {
  return async (arena, random) => {
    const { est, acme, activating } = arena;
    const [paused, other] = arena.nodes;
    const [device] = await est.devices(1);
    const [renewing] = await est.enrolled(1);
    const [endorsed] = await activating.devices(1);
    const ordering = await acme.devices(2);
    const point = random.pick(pausedAt);
    await paused!.arm({ point, nth: 1 + random.below(2), signal: 'SIGSTOP' });
    // The answers may come from a node that was thought dead: they count as any other.
    const asked = Promise.all([
      est.askOnce(paused!, device!, 'enroll'),
      est.askOnce(paused!, renewing!, 'renew'),
      activating.askOnce(paused!, endorsed!),
      ...ordering.map((owner) => acme.askOnce(paused!, owner)),
    ]);
    const reached = await paused!.standsStill(3_000);
    const others = Promise.all([
      est.enroll(device!, [other!]),
      est.renew(renewing!, [other!]),
      activating.activate(endorsed!, [other!]),
      ...ordering.map((owner) => acme.enroll(owner, [other!])),
    ]);
    const how = await pause(arena, random);
    paused!.resume();
    await asked;
    await arena.endLeases();
    await others;
    return { what: `${point}, ${how}`, reached, findings: await arena.broken() };
  };
}

/** Most often behind the lease: the other node sweeps what is open, and then the first goes on. */
const briefly: Pause = async (arena, random) => {
  if (random.below(3) === 0) {
    const milliseconds = random.below(1_500);
    await wait(milliseconds);
    return `resumed after ${milliseconds} ms`;
  }
  await arena.endLeases();
  await swept(arena);
  return 'resumed behind its lease';
};

const lease = 30_000;

/** By the real clock, and nothing else. */
const forLease: Pause = async (arena) => {
  await wait(lease + 2_000);
  await swept(arena);
  return `resumed after ${lease + 2_000} ms`;
};

/** No intent is open, or the sweep does not come. */
async function swept({ database }: Arena): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; await wait(50)) {
    const [intents] = await database.read(['select id from intent']);
    if (intents!.length === 0) return;
  }
}

/** A node stands still inside a transaction, the head of the log in its hand: after five seconds the database takes it away, and the others go on. */
async function holdHead(arena: Arena, random: Random): Promise<RunResult> {
  const { est } = arena;
  const [paused, other] = arena.nodes;
  const devices = await est.devices(4);
  const point = random.pick(['reserve:performed', 'close:performed', 'record:performed']);
  await paused!.arm({ point, nth: 1, signal: 'SIGSTOP' });
  const asked = Promise.all([
    est.askOnce(paused!, devices[0]!, 'enroll'),
    // An entry, and nothing else.
    est.askOnce(paused!, devices[1]!, 'malformed'),
  ]);
  const reached = await paused!.standsStill(3_000);
  const started = performance.now();
  await Promise.all(devices.slice(1).map((device) => est.enroll(device, [other!])));
  const waited = Math.round(performance.now() - started);
  paused!.resume();
  await asked;
  await arena.endLeases();
  await est.enroll(devices[0]!);
  const findings = [...(await arena.broken())];
  if (waited > longestWaitMilliseconds) findings.push(`the other node stood still for ${waited} ms`);
  return { what: `${point}, the other node waited ${waited} ms`, reached, findings };
}

/** The five seconds, and what a busy machine adds. */
const longestWaitMilliseconds = 12_000;

export const nodeKilled = onTwoNodes(killOne);
export const nodePaused = onTwoNodes(pauseOne(briefly));
export const nodePausedForLease = onTwoNodes(pauseOne(forLease));
export const headHeld = onTwoNodes(holdHead);
/** The short form: each once, on the same nodes. */
export const nodesInTurn = onTwoNodes(killOne, pauseOne(briefly), holdHead);
