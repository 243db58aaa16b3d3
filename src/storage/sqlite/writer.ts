import { type Durability, type Kind, operations } from '../operations.ts';
import type { StorageStats } from '../storage.ts';
import type { Connection } from './connection.ts';
import { faultOf } from '../thread/fault.ts';
import type { Call, Reply } from '../thread/messages.ts';

/**
 * Performs batches of operations, each batch in one transaction, so that all share one sync, and each operation whole or not at all. Lazy
 * writes wait in the open transaction for the next durable one, or for `flush`.
 */
export class Writer {
  readonly #connection: Pick<Connection, 'perform' | 'control' | 'changed' | 'inTransaction'>;
  /** Lazy writes in the open transaction. */
  #lazy: Call[] = [];
  readonly #stats = { operations: 0, batches: 0, commits: 0, failures: 0 };

  constructor(connection: Pick<Connection, 'perform' | 'control' | 'changed' | 'inTransaction'>) {
    this.#connection = connection;
  }

  get stats(): StorageStats {
    return { ...this.#stats };
  }

  /** Lazy writes wait to be committed. */
  get waiting(): boolean {
    return this.#connection.inTransaction;
  }

  /** When this returns the answers may be sent: what has to be synced is. */
  perform(calls: readonly Call[]): readonly Reply[] {
    this.#stats.batches += 1;
    this.#stats.operations += calls.length;
    const durabilities = new Set(calls.map(durabilityOf));
    const writes = durabilities.has('lazy') || durabilities.has('durable');
    const lazyWritesWait = this.waiting;
    try {
      if (!lazyWritesWait) this.#connection.control(writes ? 'begin immediate' : 'begin');
      const replies = this.#together(calls) ?? this.#again(calls);
      if (durabilities.has('durable')) this.#commit();
      else if (writes) this.#lazy.push(...calls.filter((call) => durabilityOf(call) === 'lazy'));
      else if (!lazyWritesWait) this.#connection.control('commit');
      return replies;
    } catch (error) {
      this.#undo();
      const { message } = faultOf(error);
      return calls.map(({ id }) => ({ id, fault: { code: 'store', message } }));
    }
  }

  flush(): void {
    if (!this.waiting) return;
    try {
      this.#commit();
    } catch {
      // Admissions that were never synced are forgotten, as a crash would forget them.
      this.#undo();
    }
  }

  /**
   * Without savepoints, each of which would copy every page that its operation changes, and nearly always in vain: an operation that fails
   * does so before its first change. Undefined where one failed after it.
   */
  #together(calls: readonly Call[]): readonly Reply[] | undefined {
    const replies: Reply[] = [];
    for (const call of calls) {
      const reply = this.#answer(call);
      if ('fault' in reply && this.#connection.changed) return undefined;
      replies.push(reply);
    }
    return replies;
  }

  /** From the last commit on: the lazy writes that were answered already, and the batch, each operation in a savepoint. */
  #again(calls: readonly Call[]): readonly Reply[] {
    this.#connection.control('rollback');
    this.#connection.control('begin immediate');
    for (const call of this.#lazy) this.#alone(call);
    return calls.map((call) => this.#alone(call));
  }

  #alone(call: Call): Reply {
    this.#connection.control('savepoint undo');
    const reply = this.#answer(call);
    if ('fault' in reply) this.#connection.control('rollback to undo');
    this.#connection.control('release undo');
    return reply;
  }

  #answer({ id, name, argument }: Call): Reply {
    const { perform } = operations[name] as Kind<unknown, unknown>;
    try {
      return { id, value: this.#connection.perform(perform(argument)) };
    } catch (error) {
      // SQLite undoes the whole transaction for some errors (sqlite.org/lang_transaction.html, section 3): then the whole batch failed.
      if (!this.#connection.inTransaction) throw error;
      return { id, fault: faultOf(error) };
    }
  }

  #commit(): void {
    this.#connection.control('commit');
    this.#lazy = [];
    this.#stats.commits += 1;
  }

  #undo(): void {
    this.#stats.failures += 1;
    this.#lazy = [];
    if (this.#connection.inTransaction) this.#connection.control('rollback');
  }
}

function durabilityOf({ name }: Call): Durability {
  return operations[name].durability;
}
