import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Cleanup } from './authority.ts';

const run = promisify(execFile);

export interface PostgresAddress {
  /** The folder of the socket: nothing listens on a network. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** A PostgreSQL of the test's own, in a temporary folder. */
export class PostgresCluster {
  readonly #programs: string;
  readonly #folder: string;
  readonly #account: Account | null;
  #server: ChildProcess | null = null;
  #databases = 0;

  private constructor(programs: string, folder: string, account: Account | null) {
    this.#programs = programs;
    this.#folder = folder;
    this.#account = account;
  }

  /** `programs` is their folder, from `findClient`. Synced to disk only where `durable`: a test of crashes needs that, and no other. */
  static async start(programs: string, cleanup: Cleanup, { durable = false } = {}): Promise<PostgresCluster> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-pg-'));
    cleanup.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    // The server refuses to run as root.
    const account = process.getuid!() === 0 ? await accountOf('postgres') : null;
    if (account !== null) await chown(folder, account.uid, account.gid);
    await chmod(folder, 0o700);
    const cluster = new PostgresCluster(programs, folder, account);
    await cluster.#run(
      'initdb',
      '--username=sallyport',
      '--auth=trust',
      '--encoding=UTF8',
      '--no-locale',
      '--no-sync',
    );
    await cluster.startServer(durable ? [] : ['fsync=off', 'full_page_writes=off']);
    cleanup.after(() => cluster.stopServer('SIGINT'));
    return cluster;
  }

  /** As whom the server runs; null: as whoever runs the test. */
  get account(): Account | null {
    return this.#account;
  }

  get address(): PostgresAddress {
    return { host: this.#folder, port: 5432, user: 'sallyport' };
  }

  /** An empty database, or a copy of one to which nobody is connected; its name. */
  async createDatabase(copied = 'template1'): Promise<string> {
    this.#databases += 1;
    const name = `test_${process.pid}_${this.#databases}`;
    await this.query(`create database ${name} template ${copied}`);
    return name;
  }

  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ ...this.address, database });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async startServer(settings: readonly string[] = []): Promise<void> {
    const always = [
      'listen_addresses=',
      `unix_socket_directories=${this.#folder}`,
      'max_connections=200',
      'log_min_messages=panic',
    ];
    const words = [...always, ...settings].flatMap((setting) => ['-c', setting]);
    this.#server = spawn(path.join(this.#programs, 'postgres'), ['-D', this.#data, ...words], {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: this.#folder,
      ...this.#account,
    });
    for (let tries = 0; ; tries += 1) {
      try {
        await this.query('select 1');
        return;
      } catch (error) {
        if (tries === 200 || this.#server.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** SIGINT ends sessions and the server; SIGQUIT ends them where they stand; SIGKILL is a crash. */
  async stopServer(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    if (signal === 'SIGKILL') await this.#killAll();
    else server.kill(signal);
    await ended;
  }

  /** The server and its own processes, which would go on without it. */
  async #killAll(): Promise<void> {
    const pid = Number((await readFile(path.join(this.#data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    // It makes no more of them while they are counted.
    process.kill(pid, 'SIGSTOP');
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    for (const each of [pid, ...children.map(Number)]) {
      if (each > 0) process.kill(each, 'SIGKILL');
    }
  }

  get #data(): string {
    return path.join(this.#folder, 'data');
  }

  async #run(program: string, ...words: string[]): Promise<void> {
    await run(path.join(this.#programs, program), ['-D', this.#data, ...words], {
      cwd: this.#folder,
      ...this.#account,
    });
  }
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

async function accountOf(name: string): Promise<Account> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (what) => (await run('id', [what, name])).stdout),
  );
  return { uid: Number(uid), gid: Number(gid) };
}
