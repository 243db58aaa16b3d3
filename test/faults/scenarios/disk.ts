import { execFile, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../clients.ts';
import { Arena } from '../arena.ts';
import { prepareLoad } from '../load.ts';
import type { Random } from '../random.ts';
import type { RunResult, Scenario } from '../scenario.ts';
import { wait } from '../waiting.ts';

const run = promisify(execFile);

const size = {
  est: { enrolling: 6, attesting: 1, held: 1, renewing: 2, revoking: 1 },
  activating: 1,
  acme: { enrolling: 2, held: 0, renewing: 1, revoking: 0, presuming: 1 },
};
const longestLoadMilliseconds = 300;
const fullMilliseconds = 800;

/** The process may write no file any larger (EFBIG): anybody can do that to their own. */
export const fileLimit: Scenario = {
  obstacle: () => (findProgram('prlimit') === null ? 'prlimit is not installed (Debian: util-linux)' : null),
  async open(cleanup, random) {
    const arena = await Arena.onSqlite(cleanup, random);
    const data = path.join(arena.node.files.directory, 'data');
    const limit = async (bytes: string) => {
      await run('prlimit', ['--pid', String(arena.node.served!.process.pid), `--fsize=${bytes}:`]);
    };
    return {
      run: (_at, random) =>
        withoutSpace(arena, random, async () => {
          const wal = statSync(path.join(data, 'sallyport.db-wal')).size;
          const more = random.below(64 * 1024);
          await limit(String(wal + more));
          return { what: `${more} bytes above the write-ahead log`, free: () => limit('unlimited') };
        }),
    };
  },
};

const diskMebibytes = 48;

/** A file system of its own that is filled to the last byte (ENOSPC): everything of the authority is on it. */
export const diskFull: Scenario = {
  obstacle: () => (mayMount() ? null : 'a file system is mounted for it, which this account may not'),
  mounts: true,
  async open(cleanup, random) {
    const mounted = await mkdtemp(path.join(tmpdir(), 'sallyport-disk-'));
    cleanup.after(() => rm(mounted, { recursive: true }));
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskMebibytes}m`, 'tmpfs', mounted]);
    cleanup.after(async () => void (await run('umount', ['--lazy', mounted])));
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = mounted;
    const arena = await Arena.onSqlite(cleanup, random).finally(() => {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    });
    const filler = path.join(mounted, 'filler');
    const fill = async () => {
      try {
        await writeFile(filler, Buffer.alloc(diskMebibytes * 1024 * 1024));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
      return { what: 'full to the last byte', free: () => rm(filler) };
    };
    return {
      async run(at, random) {
        const result = await withoutSpace(arena, random, fill);
        if (at % 2 === 0 || result.findings.length > 0) return result;
        return {
          ...result,
          what: `${result.what}, then killed while full`,
          findings: await killedWhileFull(arena, fill),
        };
      },
    };
  },
};

function mayMount(): boolean {
  return spawnSync('unshare', ['--mount', '--propagation', 'private', 'true']).status === 0;
}

/** Space goes under load. Clients are told 503, the process lives on, and serves as soon as there is space again. */
async function withoutSpace(
  arena: Arena,
  random: Random,
  take: () => Promise<{ what: string; free: () => Promise<void> }>,
): Promise<RunResult> {
  const { est, node, witness } = arena;
  await arena.start();
  const [load, lateLoad] = [await prepareLoad(arena, size), await prepareLoad(arena, size)];
  const [later] = await est.devices(1);
  const failures = () => witness.statuses.get(503) ?? 0;
  const before = failures();
  const done = load();
  await wait(random.below(longestLoadMilliseconds));
  const { what, free } = await take();
  const lateDone = lateLoad();
  await wait(fullMilliseconds);
  const refused = failures() - before;
  await free();
  const findings = node.served === null ? ['the process ended'] : [];
  await est.enroll(later!);
  // What was reserved and could not be closed waits for its lease: who starts again, later, sweeps.
  await node.stop('SIGTERM');
  await arena.endLeases();
  await arena.start();
  await Promise.all([done, lateDone]);
  findings.push(...(await arena.broken()));
  return { what: `${what}, ${refused} times 503`, reached: refused > 0, findings };
}

async function killedWhileFull(
  arena: Arena,
  fill: () => Promise<{ free: () => Promise<void> }>,
): Promise<readonly string[]> {
  const load = await prepareLoad(arena, size);
  const done = load();
  await wait(100);
  const { free } = await fill();
  await wait(200);
  await arena.node.stop();
  await arena.endLeases();
  // It may refuse to start, and must leave everything as it is.
  await arena.node.start().catch(() => undefined);
  await arena.node.stop();
  await free();
  await arena.start();
  await done;
  return arena.broken();
}
