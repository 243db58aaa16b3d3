/*
 * Loaded into `serve` by NODE_OPTIONS=--import, into both of its threads: ends the process by SIGKILL, or stops it by SIGSTOP, at the point
 * that a file names. It sees only what passes between the program and Node.js: messages between the threads, commits, files, signatures,
 * answers. Nothing in src/ knows of it.
 */
import crypto from 'node:crypto';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Client } from 'pg';
import { type Plan, probeVariables } from './plan.ts';
import { durableOperations } from './points.ts';

/** Of the messages between the threads (src/storage/thread/messages.ts), what is looked at. */
interface ToStore {
  readonly kind: string;
  readonly calls?: readonly { readonly id: number; readonly name: string }[];
}
interface FromStore {
  readonly kind: string;
  readonly replies?: readonly { readonly id: number }[];
}

const variables = process.env;
const planFile = variables[probeVariables.plan] ?? '';
const ahead = Number(variables[probeVariables.ahead] ?? '0');

let plan: Plan | null = null;
let reached = 0;

/** Either thread may carry a plan out, and the runner may write the next: it is read each time. */
function planOfNow(): Plan | null {
  if (planFile === '' || !existsSync(planFile)) return null;
  return JSON.parse(readFileSync(planFile, 'utf8')) as Plan;
}

/** The plan's time has come at this point. */
function isDue(point: string): boolean {
  const found = planOfNow();
  if (found === null) return false;
  if (found.id !== plan?.id) [plan, reached] = [found, 0];
  if (found.point !== point) return false;
  reached += 1;
  return reached === found.nth;
}

function carryOut(): void {
  const { signal } = plan!;
  rmSync(planFile, { force: true });
  process.kill(process.pid, signal);
  // A stop reaches this thread by way of another one, which must have its turn first.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
}

function reach(point: string): void {
  if (isDue(point)) carryOut();
}

type Names = Map<number, string>;

/** The ids of one process's calls are its own: each is answered once. */
function remember(names: Names, { calls = [] }: ToStore): string[] {
  for (const { id, name } of calls) names.set(id, name);
  return calls.map(({ name }) => name);
}

function answered(names: Names, { replies = [] }: FromStore): string[] {
  return replies.flatMap(({ id }) => {
    const name = names.get(id);
    names.delete(id);
    return name === undefined ? [] : [name];
  });
}

/** Of an ACME order, where the address tells it. */
function stepOf(url = ''): string[] {
  return /^\/acme\/(?:order\/[^/]+\/)?(challenge|finalize|certificate)\b/.exec(url)?.slice(1) ?? [];
}

function watchServingThread(): void {
  const names: Names = new Map();
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, message: ToStore, ...more: never[]) {
    for (const name of remember(names, message)) reach(`${name}:asked`);
    return Reflect.apply(postMessage, this, [message, ...more]);
  };
  const { emit } = EventEmitter.prototype;
  Worker.prototype.emit = function (this: Worker, event: string, ...values: unknown[]) {
    if (event === 'message') {
      for (const name of answered(names, values[0] as FromStore)) reach(`${name}:answered`);
    }
    return Reflect.apply(emit, this, [event, ...values]);
  } as typeof Worker.prototype.emit;

  const { sign } = crypto;
  crypto.sign = ((...words: unknown[]) => {
    const signature: unknown = Reflect.apply(sign, crypto, words);
    if (signature !== undefined) reach('signature:made');
    return signature;
  }) as typeof crypto.sign;

  const { end } = http.ServerResponse.prototype;
  http.ServerResponse.prototype.end = function (this: http.ServerResponse, ...words: never[]) {
    if (this.req.method === 'POST' && this.statusCode === 200) {
      const kinds = ['answer', ...stepOf(this.req.url)];
      for (const kind of kinds) reach(`${kind}:before`);
      const under = planOfNow()?.id;
      const sent = () => {
        // Whoever has it may have written a plan by then, which is for what comes next.
        if (planOfNow()?.id !== under) return;
        for (const kind of kinds) reach(`${kind}:sent`);
      };
      // A turn later it is on its way.
      this.once('finish', () => setImmediate(sent));
    }
    return Reflect.apply(end, this, words);
  } as typeof end;

  const { rename } = fs;
  fs.rename = async (from, to) => {
    reach('checkpoint:written');
    await rename(from, to);
    reach('checkpoint:renamed');
  };
  const setIntervalOfNode = setInterval;
  // What the authority does by itself comes ten times as often.
  globalThis.setInterval = ((run: () => void, milliseconds = 0, ...words: unknown[]) =>
    Reflect.apply(setIntervalOfNode, globalThis, [
      run,
      milliseconds >= 1000 ? milliseconds / 10 : milliseconds,
      ...words,
    ])) as typeof setInterval;
  syncBuiltinESMExports();
}

async function watchSinks(): Promise<void> {
  const handle = await fs.open(new URL(import.meta.url));
  const files = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { appendFile, datasync } = files;
  files.appendFile = async function (this: FileHandle, text: string | Uint8Array) {
    if (isDue('sink:torn')) {
      const bytes = Buffer.from(text as string);
      await this.write(bytes, 0, Math.ceil(bytes.length / 2));
      carryOut();
    }
    await Reflect.apply(appendFile, this, [text]);
    reach('sink:appended');
  };
  files.datasync = async function (this: FileHandle) {
    await Reflect.apply(datasync, this, []);
    reach('sink:synced');
  };
}

/** Around a commit: the durable operations that wait for their answer are in it. */
function around<Result>(names: Names, commit: () => Result): Result {
  const inIt = [...new Set(names.values())].filter((name) => durableOperations.has(name));
  for (const name of inIt) reach(`${name}:performed`);
  const result = commit();
  const after = () => {
    for (const name of inIt) reach(`${name}:committed`);
  };
  if (result instanceof Promise) void result.then(after, () => undefined);
  else after();
  return result;
}

async function watchStoreThread(port: NonNullable<typeof parentPort>): Promise<void> {
  const names: Names = new Map();
  const on = port.on.bind(port) as (event: string, listener: (message: ToStore) => void) => unknown;
  port.on = ((event: string, listener: (message: ToStore) => void) =>
    on(event, (message) => {
      if (event === 'message') remember(names, message);
      listener(message);
    })) as typeof port.on;
  const postMessage = port.postMessage.bind(port);
  port.postMessage = ((message: FromStore) => {
    answered(names, message);
    postMessage(message);
  }) as typeof port.postMessage;

  if (variables[probeVariables.database] === 'postgres') {
    const { default: pg } = await import('pg');
    const { query } = pg.Client.prototype;
    // What is asked for while a transaction runs waits for the next one.
    const writing = new WeakMap<object, Names>();
    pg.Client.prototype.query = function (this: Client, ...words: unknown[]) {
      const [sql] = words;
      const run = () => Reflect.apply(query, this, words) as unknown;
      if (typeof sql !== 'string') return run();
      if (sql.includes('for update')) writing.set(this, new Map(names));
      const inIt = writing.get(this);
      if (sql !== 'commit' || inIt === undefined) return run();
      writing.delete(this);
      return around(inIt, run);
    } as typeof query;
    return;
  }
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
    const statement = Reflect.apply(prepare, this, [sql]);
    if (sql !== 'commit') return statement;
    const run = statement.run.bind(statement);
    statement.run = () => around(names, run);
    return statement;
  };
}

if (isMainThread) {
  const now = Date.now;
  Date.now = () => now() + ahead;
  watchServingThread();
  await watchSinks();
} else if (parentPort !== null) {
  await watchStoreThread(parentPort);
}
