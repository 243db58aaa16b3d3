import { type Kind, operations } from '../operations.ts';
import { openLog } from '../operations/log.ts';
import { faultOf } from '../thread/fault.ts';
import type { Call, Reply } from '../thread/messages.ts';
import type { ServedStore } from '../thread/serve-store.ts';
import { Connection } from './connection.ts';
import { upgrade } from './upgrade.ts';
import { Writer } from './writer.ts';

export interface SqliteOptions {
  readonly file: string;
  readonly origin: string;
}

/** How long a lazy write may wait for a durable one to share its sync with. */
const lazyMilliseconds = 50;
/** How long the WAL waits for its readers. */
const emptyingMilliseconds = 1_000;

/** The only writing connection, in the thread that owns it. All that arrives before the event loop turns shares one transaction. */
export class SqliteStore implements ServedStore {
  readonly #connection: Connection;
  readonly #writer: Writer;
  #waiting: Call[] = [];
  #answer: (replies: readonly Reply[]) => void = () => undefined;
  #flushing: NodeJS.Timeout | undefined;
  #emptying: NodeJS.Timeout | undefined;

  constructor({ file, origin }: SqliteOptions) {
    this.#connection = Connection.openWriter(file);
    upgrade(this.#connection);
    this.#connection.control('begin immediate');
    this.#connection.perform(openLog({ origin }));
    this.#connection.control('commit');
    // What was erased just before a crash.
    this.#emptyWal();
    this.#writer = new Writer(this.#connection);
  }

  perform(calls: readonly Call[], answer: (replies: readonly Reply[]) => void): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#performWaiting());
    this.#answer = answer;
    for (const call of calls) this.#waiting.push(call);
  }

  /** Until nobody reads from it. What fails here has been committed, and is tried again. */
  #emptyWal(): void {
    clearTimeout(this.#emptying);
    let emptied = false;
    try {
      emptied = this.#connection.emptyWal();
    } catch {
      // Tried again.
    }
    if (!emptied) this.#emptying = setTimeout(() => this.#emptyWal(), emptyingMilliseconds);
  }

  stats() {
    this.#performWaiting();
    return this.#writer.stats;
  }

  async close(): Promise<void> {
    this.#performWaiting();
    clearTimeout(this.#flushing);
    clearTimeout(this.#emptying);
    this.#writer.flush();
    this.#connection.close();
  }

  /** Beforehand, what is free already: once they are erased, a crash leaves nothing to be done but what is done at each start. */
  #performErasing(calls: readonly Call[]): readonly Reply[] {
    try {
      this.#writer.flush();
      this.#connection.overwriteDeleted(true);
      this.#connection.overwriteFree();
      return this.#writer.perform(calls);
    } catch (error) {
      const fault = faultOf(error);
      return calls.map(({ id }) => ({ id, fault }));
    } finally {
      this.#connection.overwriteDeleted(false);
      this.#emptyWal();
    }
  }

  #performWaiting(): void {
    if (this.#waiting.length === 0) return;
    const calls = this.#waiting;
    this.#waiting = [];
    const erases = calls.some(({ name }) => (operations[name] as Kind<never, unknown>).erases === true);
    this.#answer(erases ? this.#performErasing(calls) : this.#writer.perform(calls));
    if (!this.#writer.waiting) return;
    this.#flushing ??= setTimeout(() => {
      this.#flushing = undefined;
      this.#writer.flush();
    }, lazyMilliseconds);
  }
}
