import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { AdminClient, processTerminal, replayLog, runCommandLine } from '#cli';
import { startAuthority, type RunningAuthority } from '#authority';
import { loadConfiguration } from '#config';
import { AdminActs } from './admin-acts.ts';

const root = path.resolve(import.meta.dirname, '../..');
export const command = path.join(root, 'sallyport');
const run = promisify(execFile);

/** Something whose end is arranged: a test's context, or the demo's own list. */
export interface Cleanup {
  after(end: () => Promise<void> | void): void;
}

export interface AuthorityFiles {
  readonly directory: string;
  readonly configuration: string;
  /** PEM of root and issuing CA. */
  readonly trust: string;
}

/** `sallyport init` in a temporary folder, as an operator runs it; then the configuration is edited. */
export async function initAuthority(
  cleanup: Cleanup,
  edit: (yaml: string) => string = (yaml) => yaml,
  more: readonly string[] = [],
): Promise<AuthorityFiles> {
  const parent = await mkdtemp(path.join(tmpdir(), 'sallyport-'));
  // What still runs may write once more while its folder goes.
  cleanup.after(() => rm(parent, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const directory = path.join(parent, 'authority');
  await run(command, ['init', '--dir', directory, '--yes', ...more]);
  const configuration = path.join(directory, 'sallyport.yaml');
  await writeFile(configuration, edit(await readFile(configuration, 'utf8')));
  return { directory, configuration, trust: path.join(directory, 'pki/trust.pem') };
}

/** Ports that the system chooses, so that tests run side by side. */
export function anyPorts(yaml: string): string {
  return yaml.replaceAll(/^( +port:) \d+$/gm, '$1 0');
}

/** With an anchor in a folder beside those of the nodes. */
export function withSharedAnchor(yaml: string): string {
  return yaml.replace('checkpointFile: log/checkpoint', '$&\n  anchor: { folder: ../shared }');
}

export interface TestAuthority extends AuthorityFiles {
  readonly est: string;
  /** Base of SCEP's addresses, plain HTTP. */
  readonly scep: string;
  readonly publicUrl: string;
  /** Of the listener for machines; empty where there is none. */
  readonly api: string;
  readonly trustPem: string;
  readonly admin: AdminActs;
}

export interface AuthorityInProcess extends TestAuthority {
  readonly running: RunningAuthority;
  advance(milliseconds: number): void;
  readonly faults: unknown[];
}

/** An authority in this process, with a clock that the test can move. */
export async function authorityInProcess(
  cleanup: Cleanup,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<AuthorityInProcess> {
  // A test's own hooks run in the order of their registration: the authority must end before its folder goes.
  const ends: (() => Promise<void> | void)[] = [];
  cleanup.after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  const ending: Cleanup = { after: (end) => ends.push(end) };
  return startInProcess(ending, await initAuthority(ending, (yaml) => edit(anyPorts(yaml))));
}

/** `ahead`: of the clock of this machine, in milliseconds. */
export async function startInProcess(
  cleanup: Cleanup,
  files: AuthorityFiles,
  ahead = 0,
): Promise<AuthorityInProcess> {
  const faults: unknown[] = [];
  let by = ahead;
  const running = await startAuthority({
    configuration: loadConfiguration(files.configuration, process.env),
    environment: process.env,
    wallClock: () => Date.now() + by,
    monotonicClock: () => performance.now() + by,
    version: '0',
    replay: (configuration, signal) => replayLog(configuration.file, process.env, signal),
    report: (fault) => faults.push(fault),
  });
  cleanup.after(() => running.close());
  return {
    ...(await reach(files, running.listeners)),
    running,
    faults,
    advance(milliseconds) {
      by += milliseconds;
    },
  };
}

export interface ServedAuthority extends TestAuthority {
  readonly process: ChildProcess;
  /** What `serve --json` printed when it was ready. */
  readonly ready: Record<string, unknown>;
  /** Milliseconds from the start of the process to that line. */
  readonly startMilliseconds: number;
  /** The next line of standard error that matches; waits for it. What came before it is passed over. */
  said(pattern: RegExp): Promise<string>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** `sallyport serve` as a process of its own: the shipped front door. `quiet`: its standard error is kept, and not passed on. */
export async function serveAuthority(
  files: AuthorityFiles,
  environment: Record<string, string> = {},
  { quiet = false } = {},
): Promise<ServedAuthority> {
  const started = performance.now();
  const served = spawn(command, ['serve', '--config', files.configuration, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<void>((resolve) => served.once('exit', () => resolve()));
  const said = listenTo(served, quiet);
  const ready = await Promise.race([
    firstLine(served),
    ended.then(() => Promise.reject(new Error(`serve ended with ${served.exitCode}`))),
  ]);
  const startMilliseconds = performance.now() - started;
  const listeners = ready['listeners'] as RunningAuthority['listeners'];
  return {
    ...(await reach(files, listeners)),
    process: served,
    ready,
    startMilliseconds,
    said,
    async stop(signal = 'SIGTERM') {
      served.kill(signal);
      await ended;
    },
  };
}

/** Standard error, passed on as it comes, and kept line by line. */
function listenTo(served: ChildProcess, quiet: boolean): ServedAuthority['said'] {
  const lines: string[] = [];
  let wake = () => {};
  createInterface({ input: served.stderr! }).on('line', (line) => {
    if (!quiet) process.stderr.write(`${line}\n`);
    lines.push(line);
    wake();
  });
  return async (pattern) => {
    const deadline = AbortSignal.timeout(15_000);
    deadline.addEventListener('abort', () => wake());
    for (;;) {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
        if (pattern.test(line)) return line;
      }
      if (deadline.aborted) throw new Error(`serve said nothing that matches ${pattern}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}

async function firstLine(served: ChildProcess): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: served.stdout! })) {
    return JSON.parse(line) as Record<string, unknown>;
  }
  return new Promise(() => {});
}

async function reach(
  files: AuthorityFiles,
  listeners: RunningAuthority['listeners'],
): Promise<TestAuthority> {
  const url = (name: string) => listeners.find((listener) => listener.name === name)?.url ?? '';
  const socket = listeners.find((listener) => listener.class === 'admin')!.socket!;
  const token = (await readFile(path.join(files.directory, 'operators/admin.token'), 'utf8')).trim();
  return {
    ...files,
    est: `${url('enroll')}/.well-known/est`,
    scep: `${url('scep')}/scep`,
    publicUrl: url('public'),
    api: url('api'),
    trustPem: await readFile(files.trust, 'utf8'),
    admin: new AdminActs(new AdminClient({ socket, token })),
  };
}

/** A command of the shipped command line. `code` is its exit code. */
export async function sallyport(
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return sallyportWithin(60_000, ...words);
}

/** Ended after so many milliseconds, with a code of failure. */
export async function sallyportWithin(
  timeout: number,
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(command, words, { timeout }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}

const terminal = processTerminal();

/** The same command line in this process: for tests that run many commands. */
export async function sallyportHere(
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return sallyportAt(terminal.now, ...words);
}

/** At another time than it is, in milliseconds since the epoch. */
export async function sallyportAt(
  now: () => number,
  ...words: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine(words, {
    ...terminal,
    now,
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
    outIsTerminal: false,
    ask: null,
  });
  return { code, stdout, stderr };
}
