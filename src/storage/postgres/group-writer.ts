import { type Kind, operations } from '../operations.ts';
import type { StorageStats } from '../storage.ts';
import { faultOf } from '../thread/fault.ts';
import { type Call, countedMilliseconds, type Reply } from '../thread/messages.ts';
import { lockHead } from './lock-head.ts';
import type { Session, Sessions } from './session.ts';

/** The most that one transaction does: so long every other node waits. */
const largestBatch = 64;

/** Of a node that stood still, or of a database that did: what it was asked upon may be long over, and whoever asked has gone. */
const asksHoldMilliseconds = 15_000;

/**
 * Whoever writes holds the head of the log: the writers of all nodes come one after the other, and each sees what those before it committed.
 * A node that stands still with the head in its hand loses it after five seconds. All of it holds for one transaction, so that a pooler may
 * give the next one another connection.
 */
const begin = [
  'begin isolation level read committed',
  "set local idle_in_transaction_session_timeout = '5s'",
  "set local lock_timeout = '15s'",
  "set local statement_timeout = '15s'",
  'set local synchronous_commit = on',
  lockHead,
].join('; ');

/** Performs what is waiting in one transaction after the other, each operation whole or not at all: many share one commit. */
export class GroupWriter {
  readonly #sessions: Sessions;
  #waiting: Pending[] = [];
  #running: Promise<void> | undefined;
  readonly #stats = { operations: 0, batches: 0, commits: 0, failures: 0 };

  /** `sessions` for this writer alone: it never waits for a reader. */
  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  get stats(): StorageStats {
    return { ...this.#stats };
  }

  /** Answers when it is committed. */
  perform(call: Call, answer: (reply: Reply) => void): void {
    this.#waiting.push({ call, answer });
    this.#running ??= this.#run();
  }

  /** What was asked before is done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // All that comes in one message is here before the first batch begins.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, largestBatch);
      const replies = await this.#batch(batch.map(({ call }) => call));
      batch.forEach(({ answer }, at) => answer(replies[at]!));
    }
    this.#running = undefined;
  }

  async #batch(calls: readonly Call[]): Promise<readonly Reply[]> {
    this.#stats.batches += 1;
    this.#stats.operations += calls.length;
    try {
      return await this.#sessions.with(async (session) => {
        try {
          const replies = (await this.#together(session, calls)) ?? (await this.#again(session, calls));
          // From here until the answer nobody knows whether it is committed: who asked is told that it failed, and asks what is there.
          await session.control('commit');
          this.#stats.commits += 1;
          return replies;
        } catch (error) {
          if (!session.broken) await session.control('rollback').catch(() => session.giveUp());
          throw error;
        }
      });
    } catch (error) {
      this.#stats.failures += 1;
      const { message } = faultOf(error);
      return calls.map(({ id }) => ({ id, fault: { code: 'store', message } }));
    }
  }

  /** Without savepoints: an operation that fails nearly always does so before its first change. Undefined where one failed after it. */
  async #together(session: Session, calls: readonly Call[]): Promise<readonly Reply[] | undefined> {
    await session.control(begin);
    const replies: Reply[] = [];
    for (const call of calls) {
      const reply = await answerInTime(session, call);
      // A statement that the server refused has ended the transaction, whether or not it changed anything.
      if ('fault' in reply && (session.changed || session.refused)) return undefined;
      replies.push(reply);
    }
    return replies;
  }

  async #again(session: Session, calls: readonly Call[]): Promise<readonly Reply[]> {
    await session.control('rollback');
    await session.control(begin);
    const replies: Reply[] = [];
    for (const call of calls) {
      await session.control('savepoint undo');
      const reply = await answerInTime(session, call);
      await session.control('fault' in reply ? 'rollback to undo' : 'release undo');
      replies.push(reply);
    }
    return replies;
  }
}

interface Pending {
  readonly call: Call;
  readonly answer: (reply: Reply) => void;
}

async function answerInTime(session: Session, call: Call): Promise<Reply> {
  if (countedMilliseconds() - call.askedAt <= asksHoldMilliseconds) return answerOf(session, call);
  return { id: call.id, fault: { code: 'store', message: 'it came to its turn too late, and was not done' } };
}

/** Throws where the session can go on with nothing. */
export async function answerOf(session: Session, { id, name, argument }: Call): Promise<Reply> {
  const { perform } = operations[name] as Kind<unknown, unknown>;
  try {
    return { id, value: await session.perform(perform(argument)) };
  } catch (error) {
    if (session.broken) throw error;
    return { id, fault: faultOf(error) };
  }
}
