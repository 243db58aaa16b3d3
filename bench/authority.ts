import { statfsSync } from 'node:fs';
import { findClient } from '../test/clients.ts';
import {
  type AuthorityFiles,
  anyPorts,
  type Cleanup,
  initAuthority,
  sallyportWithin,
  type ServedAuthority,
  serveAuthority,
} from '../test/harness/authority.ts';
import { anotherNode, databaseOf, postgresAuthority } from '../test/harness/postgres-authority.ts';
import { PostgresCluster } from '../test/harness/postgres-cluster.ts';
import { rounded } from './percentile.ts';
import { fillPostgres, fillSqlite, type History } from './history.ts';

export type Nodes = readonly [ServedAuthority, ...ServedAuthority[]];

export interface AuthoritySettings {
  readonly environment: Record<string, string>;
  /** See BenchSettings. */
  readonly nodes: number | null;
  readonly certificates: number;
  /** Of the configuration; ports and limits are changed in any case. */
  readonly edit?: (yaml: string) => string;
}

/** `init` and `serve`, with limits that one source and one template do not reach. */
export async function withAuthority<T>(
  { environment, nodes, certificates, edit = (yaml) => yaml }: AuthoritySettings,
  say: (line: string) => void,
  use: (nodes: Nodes) => Promise<T>,
): Promise<T> {
  const ends: (() => Promise<void> | void)[] = [];
  try {
    const cleanup = { after: (end: () => Promise<void> | void) => void ends.push(end) };
    const { files, fill } = await authorityFiles(cleanup, nodes, edit);
    if (certificates > 0) {
      say(`putting ${certificates} certificates into the database`);
      await fill({ certificates, revoked: 0 });
    }
    const first = await serveAuthority(files, environment);
    ends.push(() => first.stop());
    const others: ServedAuthority[] = [];
    for (let at = 2; at <= (nodes ?? 1); at += 1) {
      const other = await serveAuthority(await anotherNode(files, `node-${at}`), environment);
      ends.push(() => other.stop());
      others.push(other);
    }
    return await use([first, ...others]);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function authorityFiles(
  cleanup: Cleanup,
  nodes: number | null,
  edit: (yaml: string) => string,
): Promise<{ files: AuthorityFiles; fill: (history: History) => Promise<void> }> {
  const edited = (yaml: string) => edit(raiseLimits(anyPorts(yaml)));
  if (nodes === null) {
    const files = await initAuthority(cleanup, edited);
    return { files, fill: async (history) => fillSqlite(files, history) };
  }
  const postgresql = findClient('postgresql');
  if ('skip' in postgresql) throw new Error(postgresql.skip);
  const cluster = await PostgresCluster.start(postgresql.path, cleanup, { durable: true });
  const files = await postgresAuthority(cleanup, cluster, edited);
  return { files, fill: async (history) => fillPostgres(cluster, await databaseOf(files), history) };
}

function raiseLimits(yaml: string): string {
  return yaml.replaceAll(
    /\{ burst: \d+, count: \d+, period: \w+ \}/g,
    '{ burst: 1000000, count: 1000000, period: 1s }',
  );
}

/** Synced transactions of all nodes. */
export async function commitsOf(nodes: Nodes): Promise<number> {
  const states = await Promise.all(nodes.map(({ admin }) => admin.client.perform('showStatus', {})));
  return states.reduce((sum, { database }) => sum + database.commits, 0);
}

/** The magic numbers of linux/magic.h. */
export function filesystemOf(folder: string): string {
  const type = statfsSync(folder).type;
  return (
    { 0xef53: 'ext4', 0x01021994: 'tmpfs', 0x58465342: 'xfs', 0x9123683e: 'btrfs' }[type] ?? type.toString(16)
  );
}

/** A log of 100,000 enrollments takes more than a minute. */
const verifiedWithin = 1_200_000;

export async function verifyLog(authority: ServedAuthority): Promise<boolean> {
  const words = ['log', 'verify', '--json', '--config', authority.configuration];
  const { code, stdout, stderr } = await sallyportWithin(verifiedWithin, ...words);
  if (code !== 0) process.stderr.write(`log verify ended with ${code}: ${stdout || stderr}\n`);
  return code === 0 && (JSON.parse(stdout) as { ok: boolean }).ok;
}

/** Milliseconds of each group of threads, for one of so many. */
export function each(milliseconds: Record<string, number>, count: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(milliseconds).map(([name, sum]) => [name, rounded(sum / count, 3)]),
  );
}
