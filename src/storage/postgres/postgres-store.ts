import { sql } from 'kysely';
import { first } from '../operation.ts';
import { operations } from '../operations.ts';
import { statement } from '../statement.ts';
import type { StorageStats } from '../storage.ts';
import type { Call, Reply } from '../thread/messages.ts';
import { faultOf } from '../thread/fault.ts';
import type { ServedStore } from '../thread/serve-store.ts';
import { Admissions, isAdmission } from './admissions.ts';
import { answerOf, GroupWriter } from './group-writer.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { PreparedStatements, type Session, Sessions } from './session.ts';
import { upgrade } from './upgrade.ts';

export interface PostgresStoreOptions extends PostgresSettings {
  readonly origin: string;
}

/** Not of the transaction: it moves on inside of one. */
const selectTime = statement((database) =>
  database.selectNoFrom(sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`.as('time')),
);

/** The most that one transaction reads: a statement that the server refuses takes the others along. */
const readsAtOnce = 16;

/** The server ends it before the driver gives up (session.ts): else its backend would go on alone. */
const beginReading = [
  'begin isolation level repeatable read read only',
  "set local idle_in_transaction_session_timeout = '15s'",
  "set local statement_timeout = '15s'",
].join('; ');

/** One node's share in a database of several. Everything that a second node must know is in the database. */
export class PostgresStore implements ServedStore {
  readonly #writers: Sessions;
  readonly #readers: Sessions;
  readonly #admitters: Sessions;
  readonly #writer: GroupWriter;
  readonly #admissions: Admissions;
  readonly #underWay = new Set<Promise<void>>();

  private constructor(options: PostgresStoreOptions) {
    const prepared = new PreparedStatements(options);
    this.#writers = new Sessions(options, 1, prepared);
    this.#readers = new Sessions(options, options.connections, prepared);
    this.#admitters = new Sessions(options, Math.ceil(options.connections / 2), prepared);
    this.#writer = new GroupWriter(this.#writers);
    this.#admissions = new Admissions(this.#admitters);
  }

  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const store = new PostgresStore(options);
    try {
      await store.#writers.with((session) => upgrade(session, options.origin));
      return store;
    } catch (error) {
      await store.#closeSessions();
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
      if (isAdmission(call)) this.#admissions.perform(call, collect);
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
    await Promise.all([this.#writer.idle(), this.#admissions.idle(), ...this.#underWay]);
    await this.#closeSessions();
  }

  async #closeSessions(): Promise<void> {
    await Promise.all([this.#writers, this.#readers, this.#admitters].map((sessions) => sessions.close()));
  }

  /** Takes no turn in the line of writers. */
  #start<Replies>(replies: Promise<Replies>, collect: (replies: Replies) => void): void {
    const done = replies.then(collect).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
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
