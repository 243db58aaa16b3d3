import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sallyport, type ServedAuthority } from '../test/harness/authority.ts';
import { commitsOf, each, filesystemOf, type Nodes, verifyLog, withAuthority } from './authority.ts';
import type { Floor } from './floor.ts';
import { percentile, rounded } from './percentile.ts';
import { cpuMillisecondsByThread, cpuMillisecondsOf, residentBytesOf, threadGroups } from './process-cpu.ts';
import { monotonicMicroseconds, sharesByStep, type Window } from './profile.ts';
import type { BenchClient, BenchProtocol } from './protocol.ts';
import { inParallel } from './workers.ts';

export interface BenchSettings {
  readonly seconds: number;
  readonly workers: number;
  /** With the device's certificate instead of first enrollments. */
  readonly renewals: boolean;
  /** A second run under the profiler tells where the CPU time goes; it slows that run, so its figures are not the result. */
  readonly profile: boolean;
  /** Other servers at the same, in the same run. */
  readonly peers: boolean;
  /** So many stand in the database before it begins. */
  readonly certificates: number;
  /** So many nodes over a PostgreSQL of the bench's own, synced to disk; null: SQLite. */
  readonly nodes: number | null;
  /** Every operation of the store has a commit of its own: what sharing them gains is the difference. */
  readonly singleCommits: boolean;
}

/**
 * Enrollments against `sallyport serve`, everything on: each on a connection of its own, judged by every layer,
 * in the log, durable. Only the limits are raised, since one source and one template take the whole load.
 */
export async function benchEnrollments(
  protocol: BenchProtocol,
  settings: BenchSettings,
  say: (line: string) => void,
) {
  const environment = environmentOf(settings);
  const measured = await withAuthority({ ...settings, environment }, say, (nodes) =>
    measure(protocol, nodes, settings, settings.seconds, say),
  );
  const servingSteps = settings.profile ? await profileRun(protocol, settings, say) : null;
  return { ...measured.result, servingSteps };
}

export function environmentOf({
  singleCommits,
}: Pick<BenchSettings, 'singleCommits'>): Record<string, string> {
  return singleCommits ? { NODE_OPTIONS: `--import=${singleCommitsModule}` } : {};
}

const singleCommitsModule = new URL('./single-commits.ts', import.meta.url).href;
const memorySamples = 10;

async function measure(
  protocol: BenchProtocol,
  nodes: Nodes,
  settings: BenchSettings,
  seconds: number,
  say: (line: string) => void,
) {
  const { workers, renewals } = settings;
  const authority = nodes[0];
  const pids = nodes.map(({ process }) => process.pid!);
  const pid = pids[0]!;
  const cpuOfNodes = () => pids.reduce((sum, each) => sum + cpuMillisecondsOf(each), 0);
  const databaseCpu = cpuOfPostgres();
  const floor = protocol.floor(renewals);
  const transport = await protocol.transport(authority, workers);
  const peer = renewals || !settings.peers ? null : ((await protocol.peer?.()) ?? null);
  const clients = await prepare(protocol, authority, settings, seconds, say);
  const request = renewals ? protocol.renew : protocol.enroll;
  await load(clients.warmUp, workers, request, nodes, Infinity);

  const threadsBefore = cpuMillisecondsByThread(pid);
  const from = monotonicMicroseconds();
  const commitsBefore = await commitsOf(nodes);
  const [cpuBefore, databaseBefore, started] = [cpuOfNodes(), databaseCpu(), performance.now()];
  const resident: number[] = [];
  const sampling = setInterval(
    () => resident.push(rounded(residentBytesOf(pid) / 1_048_576, 0)),
    (seconds * 1000) / memorySamples,
  );
  const latencies = await load(clients.measured, workers, request, nodes, started + seconds * 1000);
  clearInterval(sampling);
  const elapsed = performance.now() - started;
  const cpu = cpuOfNodes() - cpuBefore;
  const database = databaseCpu() - databaseBefore;
  const window: Window = { from, to: monotonicMicroseconds() };
  const threads = cpuMillisecondsByThread(pid);
  const commits = (await commitsOf(nodes)) - commitsBefore;
  // Ten million shortened entries cannot be judged again.
  const verified = settings.certificates > 0 ? null : await verifyLog(authority);

  const sorted = latencies.toSorted((a, b) => a - b);
  const result = {
    bench: protocol.name,
    operation: renewals ? protocol.operations.renewal : protocol.operations.enrollment,
    database: settings.nodes === null ? 'sqlite' : 'postgresql',
    nodes: nodes.length,
    filesystem: filesystemOf(tmpdir()),
    certificatesBefore: settings.certificates,
    singleCommits: settings.singleCommits,
    workers,
    seconds: rounded(elapsed / 1000, 2),
    enrollments: latencies.length,
    rate: rounded(latencies.length / (elapsed / 1000), 1),
    p50: rounded(percentile(sorted, 0.5), 2),
    p99: rounded(percentile(sorted, 0.99), 2),
    commitsPerCertificate: rounded(commits / latencies.length, 3),
    cpuMilliseconds: rounded(cpu / latencies.length, 3),
    ...(settings.nodes === null ? {} : { databaseCpuMilliseconds: rounded(database / latencies.length, 3) }),
    floorMilliseconds: rounded(floor.milliseconds, 3),
    ratio: rounded(cpu / latencies.length / floor.milliseconds, 2),
    transportMilliseconds: rounded(transport, 3),
    ratioToTransport: rounded(cpu / latencies.length / transport, 2),
    peer,
    peerRatio: peer === null ? null : rounded(peer.cpuMilliseconds / (cpu / latencies.length), 2),
    threads: each(threadGroups(pid, threadsBefore, threads), latencies.length),
    floorParts: roundedParts(floor),
    startMilliseconds: rounded(authority.startMilliseconds, 0),
    /** In equal steps over the run: flat, or growing? */
    residentMegabytes: resident,
    logVerified: verified,
  };
  return { result, window };
}

export function roundedParts({ parts }: Floor): Record<string, number> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, microseconds]) => [name, rounded(microseconds, 1)]),
  );
}

/** No more than can be made in good time. */
const mostClients = 120_000;
/** A list of devices has an upper limit. */
const mostDevicesInList = 50_000;

async function prepare(
  protocol: BenchProtocol,
  authority: ServedAuthority,
  { renewals, workers }: BenchSettings,
  seconds: number,
  say: (line: string) => void,
) {
  const warmUp = 100;
  const count = renewals
    ? Math.max(workers * 4, 64)
    : Math.min(seconds * protocol.clientsPerSecond, mostClients) + warmUp;
  say(`preparing ${count} devices with their secrets, keys and requests`);
  const ids = Array.from({ length: count }, (_, n) => `bench-${n}`);
  for (let from = 0; from < count; from += mostDevicesInList) {
    await importDevices(authority, ids.slice(from, from + mostDevicesInList));
  }
  // Few distinct keys would be refused: a key belongs to one device.
  const make = await protocol.clientMaker(authority, renewals);
  const clients: BenchClient[] = [];
  await inParallel(ids, 64, async (id) => {
    clients.push(await make(id, await authority.admin.secret(id)));
  });
  if (!renewals) {
    return { warmUp: clients.slice(0, warmUp), measured: clients.slice(warmUp)[Symbol.iterator]() };
  }
  await inParallel(clients, workers, (client) => protocol.enroll(client, authority));
  return { warmUp: clients, measured: endlessly(clients) };
}

function* endlessly<T>(list: readonly T[]): Generator<T> {
  for (;;) yield* list;
}

/** With an approval for template `device` each. */
export async function importDevices(
  authority: ServedAuthority,
  ids: readonly string[],
  deviceClass = 'laptop',
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-bench-'));
  try {
    const file = path.join(directory, 'devices.json');
    await writeFile(file, JSON.stringify(ids.map((id) => ({ id, class: deviceClass }))));
    const { code, stderr } = await sallyport(
      'device',
      'import',
      file,
      '--approve-for',
      'device',
      '--config',
      authority.configuration,
    );
    if (code !== 0) throw new Error(stderr);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Each worker asks for one after the other. Returns the latencies in milliseconds. */
async function load(
  clients: Iterable<BenchClient>,
  workers: number,
  request: BenchProtocol['enroll'],
  nodes: Nodes,
  until: number,
): Promise<number[]> {
  const latencies: number[] = [];
  const queue = clients[Symbol.iterator]();
  const work = async (authority: ServedAuthority) => {
    for (let next = queue.next(); !next.done && performance.now() < until; next = queue.next()) {
      const started = performance.now();
      await request(next.value, authority);
      latencies.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, at) => work(nodes[at % nodes.length]!)));
  return latencies;
}

/** Shares of the server's CPU time by step. */
async function profileRun(
  protocol: BenchProtocol,
  settings: BenchSettings,
  say: (line: string) => void,
): Promise<Record<string, number>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sallyport-profile-'));
  try {
    say('running again under the profiler');
    const environment = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory}` };
    const { window } = await withAuthority({ ...settings, environment }, say, (nodes) =>
      measure(protocol, nodes, settings, Math.min(settings.seconds, 10), say),
    );
    return sharesByStep(directory, window);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** CPU milliseconds of all processes of PostgreSQL; of the bench's own, where no other runs. */
function cpuOfPostgres(): () => number {
  return () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .reduce((sum, pid) => sum + cpuIfPostgres(Number(pid)), 0);
}

function cpuIfPostgres(pid: number): number {
  try {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'postgres') return 0;
    return cpuMillisecondsOf(pid);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
