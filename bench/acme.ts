import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { Cleanup, ServedAuthority } from '../test/harness/authority.ts';
import { Connection } from './acme/connection.ts';
import { figuresOf, Generator } from './acme/load.ts';
import { type Peer, startCaddy, startPebble } from './acme/peers.ts';
import { commitsOf, each, filesystemOf, type Nodes, verifyLog, withAuthority } from './authority.ts';
import { type BenchSettings, environmentOf, roundedParts } from './enrollments.ts';
import { measureAcmeFloor } from './floor.ts';
import { rounded } from './percentile.ts';
import { cpuMillisecondsByThread, cpuMillisecondsOf, residentBytesOf, threadGroups } from './process-cpu.ts';
import { monotonicMicroseconds, sharesByStep, type Window } from './profile.ts';
import { measureKeptTransport } from './transport.ts';

type Say = (line: string) => void;
/** Whose orders they are: of one account that all workers share, or of one for each. */
type Accounts = 'shared' | 'own';
type Figures = ReturnType<typeof figuresOf>;

const accountsOf: readonly Accounts[] = ['shared', 'own'];
const workersOfAuthority = [1, 8, 32];
const workersOfPeers = [1, 8];
const warmUpSeconds = 2;
/** No server here takes so many in a second. */
const ordersPerSecond = 900;

/**
 * ACME orders of one name each, by http-01, from newOrder to the certificate, on connections that stay: `sallyport serve` with everything on, then other
 * servers with the same load generator. Only the limits are raised.
 */
export async function benchAcme(settings: BenchSettings & { readonly allWorkers: boolean }, say: Say) {
  const workers = settings.allWorkers ? workersOfAuthority : [settings.workers];
  const runs = workers.flatMap((count) => accountsOf.map((accounts) => ({ workers: count, accounts })));
  const { measured, logVerified } = await withServed(
    environmentOf(settings),
    settings,
    say,
    async (served) => {
      const all: Measured[] = [];
      for (const run of runs) all.push(await measure(served, run, settings.seconds, say));
      return { measured: all, logVerified: await verifyLog(served.nodes[0]) };
    },
  );
  const results = measured.map(({ result }) => result);
  const peers = settings.peers ? await measurePeers(settings.seconds, say) : [];
  const servingSteps = settings.profile ? await profileRun(settings, say) : null;
  const atEight = (list: readonly { workers: number; rate: number; server?: string }[], name?: string) =>
    list.filter((each) => each.workers === 8 && each.server === name).map(({ rate }) => rate);
  const caddy = atEight(peers, 'caddy acme_server')[0] ?? null;
  const ours = Math.max(...atEight(results));
  const floor = measureAcmeFloor({ posts: results[0]!.postsPerOrder });
  return {
    bench: 'acme',
    database: settings.nodes === null ? 'sqlite' : 'postgresql',
    filesystem: filesystemOf(tmpdir()),
    singleCommits: settings.singleCommits,
    runs: results,
    peers,
    rateToCaddyAtEight: caddy === null || ours < 0 ? null : rounded(ours / caddy, 2),
    floorParts: roundedParts(floor),
    logVerified,
    servingSteps,
  };
}

interface Served {
  readonly nodes: Nodes;
  readonly generator: Generator;
}

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure(
  served: Served,
  { workers, accounts }: { workers: number; accounts: Accounts },
  seconds: number,
  say: Say,
) {
  const { nodes, generator } = served;
  const authority = nodes[0];
  const pid = authority.process.pid!;
  const orders = (seconds + warmUpSeconds) * ordersPerSecond;
  const target = {
    directoryUrl: `https://localhost:${new URL(authority.est).port}/acme/directory`,
    ca: authority.trustPem,
    externalAccounts: await externalAccounts(authority, accounts === 'shared' ? 1 : workers),
    workers,
    names: '.bench.internal',
    orders,
  };
  await generator.prepare(target);
  await generator.go(warmUpSeconds);
  const threadsBefore = cpuMillisecondsByThread(pid);
  const commitsBefore = await commitsOf(nodes);
  const [from, cpuBefore] = [monotonicMicroseconds(), cpuMillisecondsOf(pid)];
  const load = await generator.go(seconds);
  const cpu = cpuMillisecondsOf(pid) - cpuBefore;
  const window: Window = { from, to: monotonicMicroseconds() };
  const threads = threadGroups(pid, threadsBefore, cpuMillisecondsByThread(pid));
  const commits = (await commitsOf(nodes)) - commitsBefore;
  const figures = figuresOf(load, cpu);
  const transport = figures.postsPerOrder * (await transportOf(authority, workers));
  const floor = measureAcmeFloor({ posts: figures.postsPerOrder }).milliseconds;
  const result = {
    workers,
    accounts,
    ...figures,
    floorMilliseconds: rounded(floor, 3),
    ratio: rounded(figures.cpuMilliseconds / floor, 2),
    transportMilliseconds: rounded(transport, 3),
    ratioToTransport: rounded(figures.cpuMilliseconds / transport, 2),
    commitsPerCertificate: rounded(commits / figures.orders, 3),
    threads: each(threads, figures.orders),
    residentMegabytes: rounded(residentBytesOf(pid) / 1_048_576, 0),
  };
  sayFigures('sallyport', result, say);
  return { result, window };
}

/** A signed request has about as many octets. */
const requestBody = JSON.stringify({ body: 'A'.repeat(600) });

/** CPU milliseconds of one request with nothing behind the listener. */
async function transportOf(authority: ServedAuthority, workers: number): Promise<number> {
  const open = (url: string) => {
    const connection = new Connection(url, authority.trustPem);
    return {
      ask: async () => (await connection.ask('POST', url, requestBody)).status,
      close: () => connection.close(),
    };
  };
  return measureKeptTransport(authority, { workers, open });
}

let owners = 0;

/** Each of an owner of its own, whose names need no more word of an operator. */
async function externalAccounts({ admin }: ServedAuthority, count: number) {
  const given: { keyId: string; hmacKey: string }[] = [];
  for (let at = 0; at < count; at += 1) {
    const device = `owner-${(owners += 1)}`;
    await admin.device(device, { deviceClass: 'server' });
    const asked = { device, templates: ['web'], names: ['.bench.internal'], approve: true };
    const { keyId, hmacKey } = await admin.client.perform('createExternalAccountKey', asked);
    given.push({ keyId, hmacKey });
  }
  return given;
}

async function measurePeers(seconds: number, say: Say) {
  const results: (Figures & { server: string; workers: number; accounts: Accounts })[] = [];
  for (const start of [startCaddy, startPebble]) {
    for (const workers of workersOfPeers) {
      const result = await withCleanup(async (cleanup) => {
        const peer = await start(cleanup);
        return peer === null ? null : measurePeer(peer, workers, seconds);
      });
      if (result === null) {
        say(`${start.name}: not here`);
        break;
      }
      sayFigures(result.server, result, say);
      results.push(result);
    }
  }
  return results;
}

/** One account a worker: a shared one makes caddy fail a third of the orders. */
async function measurePeer(peer: Peer, workers: number, seconds: number) {
  const { name: server, pid, generator } = peer;
  const externalAccounts = Array.from({ length: workers }, () => null);
  const orders = (seconds + warmUpSeconds) * ordersPerSecond;
  await generator.prepare({ ...peer, externalAccounts, workers, orders });
  await generator.go(warmUpSeconds);
  const before = cpuMillisecondsOf(pid);
  const load = await generator.go(seconds);
  const figures = figuresOf(load, cpuMillisecondsOf(pid) - before);
  return { server, workers, accounts: 'own' as const, ...figures };
}

/** The shares of steps at 8 workers, with one account each. */
async function profileRun(settings: BenchSettings, say: Say): Promise<Record<string, number>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-profile-'));
  try {
    say('running again under the profiler');
    const environment = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory}` };
    const { window } = await withServed(environment, settings, say, (served) =>
      measure(served, { workers: 8, accounts: 'own' }, Math.min(settings.seconds, 10), say),
    );
    return sharesByStep(directory, window);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Template `web` as it ships, but for where names are proven. */
async function withServed<T>(
  environment: Record<string, string>,
  settings: BenchSettings,
  say: Say,
  use: (served: Served) => Promise<T>,
): Promise<T> {
  return withCleanup(async (cleanup) => {
    const generator = await Generator.start(cleanup);
    const edit = (yaml: string) =>
      stringify({
        ...(parse(yaml) as object),
        validation: { resolvers: [generator.resolver], ports: { http: generator.httpPort, tls: 9 } },
      });
    return withAuthority({ ...settings, environment, edit }, say, (nodes) => use({ nodes, generator }));
  });
}

async function withCleanup<T>(use: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const ends: (() => Promise<void> | void)[] = [];
  try {
    return await use({ after: (end) => void ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

function sayFigures(
  server: string,
  run: Figures & {
    workers: number;
    accounts: Accounts;
    ratio?: number;
    transportMilliseconds?: number;
    threads?: Record<string, number>;
  },
  say: Say,
): void {
  const { workers, accounts, rate, p50, p99, cpuMilliseconds, postsPerOrder, errors, ratio, threads } = run;
  const whose = accounts === 'shared' ? 'one account' : 'an account each';
  const parts = Object.entries(threads ?? {}).map(([name, milliseconds]) => `${name} ${milliseconds}`);
  const floors =
    ratio === undefined
      ? ''
      : ` (${parts.join(', ')}), ${ratio} times the floor, transport ${run.transportMilliseconds} ms`;
  say(
    `${server.padEnd(18)}${String(workers).padStart(3)} workers, ${whose.padEnd(16)}${String(rate).padStart(7)} orders/s, p50 ${p50}, p99 ${p99} ms, CPU ${cpuMilliseconds} ms${floors}, ${postsPerOrder} POSTs, generator ${run.generatorCpuMilliseconds} ms (busy ${run.generatorBusy}), errors ${errors}`,
  );
  for (const message of run.messages ?? []) say(`  ${message}`);
}
