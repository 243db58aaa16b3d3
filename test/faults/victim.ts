import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseCheckpoint } from '#audit';
import {
  type AuthorityFiles,
  type Cleanup,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import type { TestDatabase } from './database.ts';
import { type Plan, probeVariables } from './plan.ts';
import { wait } from './waiting.ts';

const probe = new URL('./probe.ts', import.meta.url).href;

/** A `serve` that is to end in the midst of its work, and to be started again. */
export class Victim {
  readonly files: AuthorityFiles;
  readonly #database: TestDatabase;
  #served: ServedAuthority | null = null;
  /** What it said last on standard error. */
  #said: string[] = [];
  #plans = 0;

  constructor(files: AuthorityFiles, database: TestDatabase, cleanup: Cleanup) {
    this.files = files;
    this.#database = database;
    cleanup.after(() => this.stop());
  }

  /** The process of now; null where there is none. */
  get served(): ServedAuthority | null {
    const { exitCode = null, signalCode = null } = this.#served?.process ?? {};
    return exitCode === null && signalCode === null ? this.#served : null;
  }

  /** Throws where it ends before it is ready. */
  async start(): Promise<ServedAuthority> {
    this.#served = null;
    const environment = {
      NODE_OPTIONS: `--import=${probe}`,
      [probeVariables.plan]: this.#planFile,
      [probeVariables.ahead]: String(this.#database.aheadMilliseconds),
      [probeVariables.database]: this.#database.kind,
    };
    // What goes wrong is meant to, and would be hundreds of lines.
    this.#served = await serveAuthority(this.files, environment, { quiet: true });
    this.#said = [];
    createInterface({ input: this.#served.process.stderr! }).on('line', (line) => {
      this.#said = [...this.#said.slice(-9), line];
    });
    return this.#served;
  }

  /** How the process of now ended, and what it said last. */
  get end(): string {
    const { exitCode = null, signalCode = null } = this.#served?.process ?? {};
    return `${exitCode ?? signalCode}: ${this.#said.join(' | ')}`;
  }

  /** From now on, and in the next process if this one ends before. */
  async arm(plan: Omit<Plan, 'id'>): Promise<void> {
    this.#plans += 1;
    const beside = `${this.#planFile}.new`;
    await writeFile(beside, JSON.stringify({ id: this.#plans, ...plan } satisfies Plan));
    await rename(beside, this.#planFile);
  }

  async disarm(): Promise<void> {
    await rm(this.#planFile, { force: true });
  }

  /** The plan was carried out. */
  async isCarriedOut(): Promise<boolean> {
    return (await readFile(this.#planFile, 'utf8').catch(() => null)) === null;
  }

  /** Whether the plan stops it in this time; there is none afterwards. Before the process has stopped, it could not be resumed. */
  async standsStill(milliseconds: number): Promise<boolean> {
    const file = `/proc/${this.#served!.process.pid}/stat`;
    for (const end = performance.now() + milliseconds; performance.now() < end; await wait(10)) {
      if (/\) T /.test(await readFile(file, 'utf8').catch(() => ''))) return true;
    }
    await this.disarm();
    return false;
  }

  /** Resolves to false when the time is over and it still runs. */
  async ends(milliseconds: number): Promise<boolean> {
    for (const end = performance.now() + milliseconds; performance.now() < end;) {
      if (this.served === null) return true;
      await wait(5);
    }
    return this.served === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { served } = this;
    this.#served = null;
    if (served === null) return;
    // A process that stands still takes SIGKILL, and no other.
    await served.stop(signal);
  }

  pause(): void {
    this.#served?.process.kill('SIGSTOP');
  }

  resume(): void {
    this.#served?.process.kill('SIGCONT');
  }

  /** What it published last, as anybody might have kept it. */
  async checkpoint(): Promise<{ readonly size: number; readonly root: string }> {
    const note = await readFile(this.checkpointFile, 'utf8');
    const { size, root } = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1));
    return { size, root: Buffer.from(root).toString('hex') };
  }

  get checkpointFile(): string {
    return path.join(this.files.directory, 'log/checkpoint');
  }

  get sinkFile(): string {
    return path.join(this.files.directory, 'log/events.ndjson');
  }

  get #planFile(): string {
    return path.join(this.files.directory, 'plan.json');
  }
}
