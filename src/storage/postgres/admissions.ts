import { sql } from 'kysely';
import { first, type Operation } from '../operation.ts';
import { statement } from '../statement.ts';
import { faultOf } from '../thread/fault.ts';
import type { Call, Reply } from '../thread/messages.ts';
import { answerOf } from './group-writer.ts';
import type { Session, Sessions } from './session.ts';

/**
 * Two nodes that admit one source at once count one after the other. Like the memory of a lone process: a crash may forget the last moments of it.
 * A node that stands still meanwhile loses the source after two seconds. Whoever waits, waits a little longer; and where that is not enough either, the
 * device is told to ask again.
 */
export const beginAdmission = [
  'begin isolation level read committed',
  "set local idle_in_transaction_session_timeout = '2s'",
  "set local lock_timeout = '3s'",
  "set local statement_timeout = '3s'",
  'set local synchronous_commit = off',
].join('; ');

/** The most that one transaction does: so long the same source waits on every other node. */
const largestBatch = 64;

const selectLock = statement((database, p: { key: string }) =>
  database.selectNoFrom(sql<string>`pg_advisory_xact_lock(hashtextextended(${p.key}, 0))`.as('locked')),
);

interface Source {
  readonly sourceKey: string;
}

export type AdmissionCall = Call & { readonly argument: Source };

export function isAdmission(call: Call): call is AdmissionCall {
  return call.name === 'admit';
}

function* lockSource({ sourceKey }: Source): Operation<void> {
  yield* first(selectLock, { key: sourceKey });
}

interface Pending {
  readonly call: AdmissionCall;
  readonly answer: (reply: Reply) => void;
}

/** Each source has one connection at most, however many of its requests wait: one that another node holds keeps no other source from being admitted. */
export class Admissions {
  readonly #sessions: Sessions;
  /** What waits, by source; a source that is being admitted has a list, be it empty. */
  readonly #waiting = new Map<string, Pending[]>();
  readonly #underWay = new Set<Promise<void>>();

  /** `sessions` for admissions alone. */
  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  perform(call: AdmissionCall, answer: (reply: Reply) => void): void {
    const { sourceKey } = call.argument;
    const waiting = this.#waiting.get(sourceKey);
    if (waiting !== undefined) {
      waiting.push({ call, answer });
      return;
    }
    this.#waiting.set(sourceKey, [{ call, answer }]);
    const running = this.#run(sourceKey).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  /** What was asked before is done. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #run(sourceKey: string): Promise<void> {
    const waiting = this.#waiting.get(sourceKey)!;
    // All that comes in one message is here before the first batch begins.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, largestBatch);
      const replies = await this.#admit(
        sourceKey,
        batch.map(({ call }) => call),
      );
      batch.forEach(({ answer }, at) => answer(replies[at]!));
    }
    this.#waiting.delete(sourceKey);
  }

  /** All of them are counted, or none. */
  async #admit(sourceKey: string, calls: readonly AdmissionCall[]): Promise<readonly Reply[]> {
    try {
      return await this.#sessions.with((session) => admitTogether(session, sourceKey, calls));
    } catch (error) {
      const { message } = faultOf(error);
      return calls.map(({ id }) => ({ id, fault: { code: 'store', message } }));
    }
  }
}

async function admitTogether(
  session: Session,
  sourceKey: string,
  calls: readonly AdmissionCall[],
): Promise<readonly Reply[]> {
  try {
    await session.control(beginAdmission);
    await session.perform(lockSource({ sourceKey }));
    const replies: Reply[] = [];
    for (const call of calls) replies.push(await answerOf(session, call));
    const failed = replies.find((reply) => 'fault' in reply);
    await session.control(failed === undefined ? 'commit' : 'rollback');
    return failed === undefined ? replies : calls.map(({ id }) => ({ ...failed, id }));
  } catch (error) {
    if (!session.broken) await session.control('rollback').catch(() => session.giveUp());
    throw error;
  }
}
