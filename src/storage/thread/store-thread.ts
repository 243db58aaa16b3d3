import { Worker } from 'node:worker_threads';
import type { SallyportError } from '#errors';
import type { ArgumentOf, OperationName, ResultOf } from '../operations.ts';
import type { StorageStats } from '../storage.ts';
import { errorOf, faultOf } from './fault.ts';
import {
  type Call,
  countedMilliseconds,
  type Fault,
  type FromStore,
  type Reply,
  type ToStore,
} from './messages.ts';
import { withOwnBuffers } from './own-buffers.ts';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: SallyportError) => void;
}

/** The serving thread's end of a store that has a thread of its own. What is asked in one turn of the event loop goes over in one message. */
export class StoreThread {
  /** Resolves when the thread ends though nobody closed it. */
  readonly failed: Promise<SallyportError>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #statsAsked: Pending[] = [];
  readonly #timeAsked: Pending[] = [];
  #calls: Call[] = [];
  #lastId = 0;
  /** Why nothing can be asked any more. */
  #ended: Fault | undefined;
  #closed: Promise<void> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.failed = new Promise((resolve) => {
      worker.on('message', (message: FromStore) => this.#receive(message));
      worker.on('error', (error) =>
        resolve(this.#end(`the thread of the database failed: ${String(error)}`)),
      );
      worker.on('exit', () => {
        const closed = this.#ended !== undefined;
        const error = this.#end('the thread of the database ended');
        if (!closed) resolve(error);
      });
    });
  }

  /** `worker` is the module that the thread runs, with these options. Throws what it refuses to open the database for. */
  static async start(worker: URL, options: object): Promise<StoreThread> {
    const thread = new StoreThread(new Worker(worker, { workerData: options, name: 'storage' }));
    const opened = new Promise<FromStore>((resolve) => thread.#worker.once('message', resolve));
    const first = await Promise.race([opened, thread.failed]);
    if (first instanceof Error) throw first;
    if (first.kind === 'refused') throw errorOf(first.fault);
    return thread;
  }

  perform<Name extends OperationName>(name: Name, argument: ArgumentOf<Name>): Promise<ResultOf<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(errorOf(this.#ended));
        return;
      }
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      if (this.#calls.length === 0) setImmediate(() => this.#send());
      this.#calls.push({ id, name, argument: withOwnBuffers(argument), askedAt: countedMilliseconds() });
    });
  }

  stats(): Promise<StorageStats> {
    return this.#ask('stats', this.#statsAsked);
  }

  /** The database's clock, milliseconds since the epoch; null where it cannot be read now. */
  time(): Promise<number | null> {
    return this.#ask('time', this.#timeAsked);
  }

  #ask<Answer>(kind: 'stats' | 'time', asked: Pending[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(errorOf(this.#ended));
        return;
      }
      asked.push({ resolve, reject });
      this.#post({ kind });
    });
  }

  /** What was asked before is completed; what is asked later is refused. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#send();
    this.#post({ kind: 'close' });
    this.#ended = { code: 'store', message: 'the database is closed' };
    await exited;
  }

  #send(): void {
    const calls = this.#calls;
    this.#calls = [];
    if (calls.length === 0) return;
    try {
      this.#post({ kind: 'calls', calls });
    } catch (error) {
      // An argument that cannot be sent (a function in it, say): a fault of ours, and nothing was asked.
      for (const { id } of calls) this.#settle({ id, fault: faultOf(error) });
    }
  }

  #post(message: ToStore): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromStore): void {
    if (message.kind === 'replies') for (const reply of message.replies) this.#settle(reply);
    if (message.kind === 'stats') this.#statsAsked.shift()?.resolve(message.stats as never);
    if (message.kind === 'time') this.#timeAsked.shift()?.resolve(message.time as never);
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    this.#pending.delete(reply.id);
    if ('fault' in reply) pending.reject(errorOf(reply.fault));
    else pending.resolve(reply.value as never);
  }

  /** Whether what was under way is synced, nobody knows: it failed. */
  #end(message: string): SallyportError {
    this.#ended ??= { code: 'store', message };
    const error = errorOf(this.#ended);
    const asked = [...this.#pending.values(), ...this.#statsAsked, ...this.#timeAsked];
    for (const { reject } of asked) reject(error);
    this.#pending.clear();
    this.#statsAsked.length = 0;
    this.#timeAsked.length = 0;
    return error;
  }
}
