import type { SecureContext } from 'node:tls';
import { type RawAnswer, RawConnection } from '../harness/raw-connection.ts';
import type { Exchange } from './framing.ts';

/** What came of one connection. */
export interface Conversation {
  /** Messages that were sent. */
  readonly requests: number;
  /** Answers by status, and how often a connection ended without one. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Answers in EST's words: each must have its entry in the log. */
  readonly byEst: number;
  /** How many entries there may be. */
  readonly mostEntries: number;
  /** The longest time that an owed answer took. */
  readonly slowestMilliseconds: number;
  readonly problems: readonly Problem[];
}

export interface Problem {
  readonly kind: 'hang' | 'unanswered' | 'fault' | 'no connection' | 'fuzzer';
  readonly words: string;
  readonly bytes: Buffer;
}

export interface Target {
  readonly url: string;
  readonly trust: string;
  readonly localAddress: string;
  /** An answer or an end that takes longer is a hang. */
  readonly withinMilliseconds: number;
}

/** Sends one exchange after the other on one connection, until one of them or the server ends it. */
export async function converse(
  target: Target,
  secureContext: SecureContext,
  exchanges: () => Exchange | null,
): Promise<Conversation> {
  const tally = new Tally();
  let connection: RawConnection;
  try {
    connection = await connected(target, secureContext);
  } catch (error) {
    return tally.problem('no connection', wordsOf(error), Buffer.alloc(0));
  }
  try {
    for (let open = true; open;) {
      const next = nextOf(exchanges, tally);
      if (next === null) break;
      open = await exchange(connection, next, target.withinMilliseconds, tally).catch((error: unknown) => {
        tally.problem('hang', wordsOf(error), next.bytes);
        return false;
      });
    }
  } finally {
    connection.close();
  }
  return tally;
}

/** A fault of the fuzzer fails the run, which says where, and goes on. */
function nextOf(exchanges: () => Exchange | null, tally: Tally): Exchange | null {
  try {
    return exchanges();
  } catch (error) {
    tally.problem('fuzzer', error instanceof Error ? error.stack! : String(error), Buffer.alloc(0));
    return null;
  }
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function connected(target: Target, secureContext: SecureContext): Promise<RawConnection> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('no handshake')), target.withinMilliseconds).unref();
  });
  return Promise.race([RawConnection.open({ ...target, tls: { secureContext } }), late]);
}

const largestRecord = 16_384;

/** Whether the connection can be used for more. */
async function exchange(
  connection: RawConnection,
  sent: Exchange,
  withinMilliseconds: number,
  tally: Tally,
): Promise<boolean> {
  const { bytes, owed, methods } = sent;
  tally.requests += Math.max(1, methods.length);
  connection.write(bytes);
  if (owed === 'any') {
    tally.mostEntries = Infinity;
    // The end comes while the server still handles it, or with its last byte.
    if (bytes.length % 2 === 0) connection.socket.end();
    else setTimeout(() => connection.socket.end(), 20);
    let answers = 0;
    for (let answer = await connection.answer(withinMilliseconds); answer !== null; answers += 1) {
      tally.answered(answer, bytes);
      answer = await connection.answer(withinMilliseconds);
    }
    if (answers === 0) tally.count('ended');
    return false;
  }
  let open = true;
  for (const method of methods) {
    const asked = performance.now();
    const answer = await connection.answer(withinMilliseconds, method);
    tally.slowestMilliseconds = Math.max(tally.slowestMilliseconds, performance.now() - asked);
    if (answer === null) {
      // Who closes with bytes unread resets the connection, and an answer on its way goes with it. One TLS record is read at once.
      const mayBeLost = connection.wasReset && bytes.length > largestRecord;
      tally.count(mayBeLost ? 'reset' : 'ended');
      // A message behind the one that ended the connection may have been handled.
      tally.mostEntries += 1;
      if (owed === 'each' && open && !mayBeLost) tally.problem('unanswered', `no answer to ${method}`, bytes);
      open = false;
    } else {
      tally.answered(answer, bytes);
      open &&= isKept(answer);
    }
  }
  return open && owed === 'each';
}

function isKept({ headers }: RawAnswer): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'keep-alive');
}

// What the HTTP parser refuses by itself is answered without any of these.
const ofEst = ['Content-Type', 'WWW-Authenticate', 'Retry-After'];

class Tally implements Conversation {
  requests = 0;
  byEst = 0;
  mostEntries = 0;
  slowestMilliseconds = 0;
  readonly outcomes: Record<string, number> = {};
  readonly problems: Problem[] = [];

  count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }

  answered({ status, headers, body }: RawAnswer, bytes: Buffer): void {
    const byEst = headers.some(([name]) => ofEst.includes(name));
    this.count(byEst ? String(status) : `${status} of the HTTP parser`);
    if (byEst) {
      this.byEst += 1;
      this.mostEntries += 1;
    }
    // 400: the one answer of the HTTP parser. 501: an operation of EST that is not offered.
    const isExpected = byEst ? status < 500 || status === 501 : status === 400;
    if (!isExpected) this.problem('fault', `${status}: ${body}`, bytes);
  }

  problem(kind: Problem['kind'], words: string, bytes: Buffer): this {
    this.problems.push({ kind, words, bytes });
    return this;
  }
}
