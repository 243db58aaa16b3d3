import { sql } from 'kysely';
import { first, type Operation } from '../operation.ts';
import { operations } from '../operations.ts';
import { statement } from '../statement.ts';
import type { StorageStats } from '../storage.ts';
import type { Call, Reply } from '../thread/messages.ts';
import { faultOf } from '../thread/fault.ts';
import type { ServedStore } from '../thread/serve-store.ts';
import { answerOf, GroupWriter } from './group-writer.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { PreparedStatements, type Session, Sessions } from './session.ts';
import { upgrade } from './upgrade.ts';

export interface PostgresStoreOptions extends PostgresSettings {
  readonly origin: string;
}

const selectLock = statement((database, p: { key: string }) =>
  database.selectNoFrom(sql<string>`pg_advisory_xact_lock(hashtextextended(${p.key}, 0))`.as('locked')),
);

/** Not of the transaction: it moves on inside of one. */
const selectTime = statement((database) =>
  database.selectNoFrom(sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`.as('time')),
);

interface Source {
  readonly sourceKey: string;
}

function isAdmission(call: Call): call is Call & { readonly argument: Source } {
  return call.name === 'admit';
}

/** Two nodes that admit one source at once count one after the other. */
function* lockSource({ sourceKey }: Source): Operation<void> {
  yield* first(selectLock, { key: sourceKey });
}

/** The most that one transaction reads: a statement that the server refuses takes the others along. */
const readsAtOnce = 16;

const beginReading = 'begin isolation level repeatable read read only';
/** Like the memory of a lone process: a crash may forget the last moments of it. */
const beginAdmission = 'begin isolation level read committed; set local synchronous_commit = off';

/** One node's share in a database of several. Everything that a second node must know is in the database. */
export class PostgresStore implements ServedStore {
  readonly #writers: Sessions;
  readonly #readers: Sessions;
  readonly #writer: GroupWriter;
  readonly #underWay = new Set<Promise<void>>();

  private constructor(options: PostgresStoreOptions) {
    const prepared = new PreparedStatements(options);
    this.#writers = new Sessions(options, 1, prepared);
    this.#readers = new Sessions(options, options.connections, prepared);
    this.#writer = new GroupWriter(this.#writers);
  }

  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const store = new PostgresStore(options);
    try {
      await store.#writers.with((session) => upgrade(session, options.origin));
      return store;
    } catch (error) {
      await Promise.all([store.#writers.close(), store.#readers.close()]);
      throw error;
    }
  }

  perform(calls: readonly Call[], answer: (replies: readonly Reply[]) => void): void {
    let replies: Reply[] = [];
    // What is answered in one turn of the event loop goes back in one message.
    const collect = (reply: Reply) => {
      if (replies.length === 0) {
        setImmediate(() => {
          answer(replies);
          replies = [];
        });
      }
      replies.push(reply);
    };
    const reads: Call[] = [];
    for (const call of calls) {
      if (isAdmission(call)) this.#start(this.#admit(call), collect);
      else if (operations[call.name].durability === 'read') reads.push(call);
      else this.#writer.perform(call, collect);
    }
    for (let at = 0; at < reads.length; at += readsAtOnce) {
      this.#start(this.#read(reads.slice(at, at + readsAtOnce)), (replies) => replies.forEach(collect));
    }
  }

  async time(): Promise<number> {
    const row = await this.#readers.with((session) => session.perform(first(selectTime, {})));
    return row?.time ?? Number.NaN;
  }

  stats(): StorageStats {
    return this.#writer.stats;
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.idle(), ...this.#underWay]);
    await Promise.all([this.#writers.close(), this.#readers.close()]);
  }

  /** Takes no turn in the line of writers. */
  #start<Replies>(replies: Promise<Replies>, collect: (replies: Replies) => void): void {
    const done = replies.then(collect).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #admit(call: Call & { readonly argument: Source }): Promise<Reply> {
    const [reply] = await this.#inTransaction([call], async (session) => {
      await session.control(beginAdmission);
      await session.perform(lockSource(call.argument));
      return [await answerOf(session, call)];
    });
    return reply!;
  }

  /** What was asked at once sees one state of the database, as it was after all of it was asked. */
  async #read(calls: readonly Call[]): Promise<readonly Reply[]> {
    return this.#inTransaction(calls, async (session) => {
      await session.control(beginReading);
      return Promise.all(calls.map((call) => answerOf(session, call)));
    });
  }

  async #inTransaction(
    calls: readonly Call[],
    perform: (session: Session) => Promise<readonly Reply[]>,
  ): Promise<readonly Reply[]> {
    try {
      return await this.#readers.with(async (session) => {
        try {
          const replies = await perform(session);
          await session.control(replies.some((reply) => 'fault' in reply) ? 'rollback' : 'commit');
          return replies;
        } catch (error) {
          if (!session.broken) await session.control('rollback').catch(() => session.giveUp());
          throw error;
        }
      });
    } catch (error) {
      const { message } = faultOf(error);
      return calls.map(({ id }) => ({ id, fault: { code: 'store', message } }));
    }
  }
}
