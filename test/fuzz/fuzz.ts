import { inParallel } from '../../bench/workers.ts';
import type { Cleanup } from '../harness/authority.ts';
import { logSize } from '../harness/entries.ts';
import { type Asker, type Entitled, makeAskers, makeParties, type Proof } from './asker.ts';
import { Choices } from './choices.ts';
import { converse } from './conversation.ts';
import { countEntries } from './entry-counts.ts';
import { type FuzzedAuthority, serveFuzzed } from './fuzzed-authority.ts';
import { fuzzedExchange } from './fuzzed-exchange.ts';
import { loadSeeds } from './seeds.ts';
import { findUnentitled } from './unentitled.ts';

export interface FuzzSettings {
  /** Decides what is sent: with the same seed, the connection of the same number sends the same, but for keys and secrets. */
  readonly seed: number;
  /** At least so many; the connections under way end. */
  readonly requests: number;
  /** No new connections after that. */
  readonly milliseconds?: number;
  /** Connections at once. */
  readonly workers: number;
  /** The number of the first connection, to begin where a failure was. */
  readonly firstConnection?: number;
}

export interface FuzzResult {
  requests: number;
  connections: number;
  /** Answers by status, and connections that ended without one. */
  outcomes: Record<string, number>;
  entries: number;
  entriesByOutcome: Record<string, number>;
  certificates: number;
  unlogged: number;
  /** Entries that no request accounts for. */
  surplus: number;
  faults: number;
  hangs: number;
  unanswered: number;
  unentitled: number;
  slowestMilliseconds: number;
}

/** New devices come, and the log is read, after so many connections: a round. */
const connectionsInRound = 250;
const longestConversation = 40;
const withinMilliseconds = 20_000;

/** Mutated requests against `sallyport serve`, and what must be true of it whatever they were. */
export class Fuzz {
  readonly result: FuzzResult = {
    requests: 0,
    connections: 0,
    outcomes: {},
    entries: 0,
    entriesByOutcome: {},
    certificates: 0,
    unlogged: 0,
    surplus: 0,
    faults: 0,
    hangs: 0,
    unanswered: 0,
    unentitled: 0,
    slowestMilliseconds: 0,
  };
  readonly authority: FuzzedAuthority;
  readonly #settings: FuzzSettings;
  readonly #parties: ReturnType<typeof makeParties>;
  readonly #say: (line: string) => void;
  readonly #seeds = loadSeeds();
  readonly #entitled = new Map<string, Entitled>();
  #connection: number;
  #deadline = Infinity;

  private constructor(
    authority: FuzzedAuthority,
    parties: ReturnType<typeof makeParties>,
    settings: FuzzSettings,
    say: (line: string) => void,
  ) {
    this.authority = authority;
    this.#parties = parties;
    this.#settings = settings;
    this.#say = say;
    this.#connection = settings.firstConnection ?? 0;
  }

  static async start(cleanup: Cleanup, settings: FuzzSettings, say: (line: string) => void): Promise<Fuzz> {
    const parties = makeParties();
    return new Fuzz(await serveFuzzed(cleanup, parties), parties, settings, say);
  }

  /** Calls `afterRound` after each. */
  async run(afterRound: () => void = () => {}): Promise<FuzzResult> {
    const { result, authority } = this;
    const { milliseconds = Infinity } = this.#settings;
    this.#deadline = performance.now() + milliseconds;
    for (let round = 0; this.#goesOn(); round += 1) {
      await this.#round(round);
      afterRound();
    }
    if (this.#isAlive()) {
      const { certificates, problems } = await findUnentitled(authority, this.#entitled);
      result.certificates = certificates;
      result.unentitled = problems.length;
      problems.forEach(this.#say);
    } else {
      this.#say(`the process ended with ${authority.process.exitCode ?? authority.process.signalCode}`);
      result.faults += 1;
    }
    result.faults += authority.faults.length;
    return result;
  }

  #goesOn(): boolean {
    const enough = this.result.requests >= this.#settings.requests || performance.now() > this.#deadline;
    return !enough && this.#isAlive();
  }

  #isAlive(): boolean {
    const { exitCode, signalCode } = this.authority.process;
    return exitCode === null && signalCode === null;
  }

  async #round(round: number): Promise<void> {
    const { authority, result } = this;
    const askers = await makeAskers(authority, this.#parties, round);
    for (const { id, entitled } of askers) this.#entitled.set(id, entitled);
    const logged = await logSize(authority);
    const sources = new Map<
      string,
      { readonly least: number; readonly most: number; readonly connection: number }
    >();
    const work = async (connection: number) => {
      if (!this.#goesOn()) return;
      const localAddress = sourceOf(connection);
      const { byEst, mostEntries } = await this.#converse(connection, askers, localAddress);
      sources.set(localAddress, { least: byEst, most: mostEntries, connection });
    };
    const first = this.#connection;
    this.#connection += connectionsInRound;
    const connections = Array.from({ length: connectionsInRound }, (_, at) => first + at);
    await inParallel(connections, this.#settings.workers, work);
    if (!this.#isAlive()) return;
    const { bySource, byOutcome } = await countEntries(authority, logged);
    add(result.entriesByOutcome, byOutcome);
    for (const [source, { least, most, connection }] of sources) {
      const found = bySource.get(source) ?? 0;
      result.entries += found;
      result.unlogged += Math.max(0, least - found);
      result.surplus += Math.max(0, found - most);
      if (found < least || found > most) {
        this.#say(`connection ${connection}: ${found} entries, and not ${least} to ${most}`);
      }
    }
  }

  async #converse(connection: number, askers: readonly Asker[], localAddress: string) {
    const { authority, result } = this;
    const choices = new Choices(this.#settings.seed, connection);
    const asker = choices.pick(askers);
    const wanted = choices.weighted<Proof>([
      [5, 'nothing'],
      [4, 'own'],
      [1, 'strangers'],
    ]);
    const { own } = asker.contexts;
    const proof = wanted === 'own' && own === undefined ? 'nothing' : wanted;
    const context = proof === 'own' ? own! : asker.contexts[proof];
    const url = choices.chance(0.7) ? authority.listeners.tls13 : authority.listeners.tls12;
    const sender = { asker, others: askers, proof, host: new URL(url).host, seeds: this.#seeds };
    const most = choices.between(1, longestConversation);
    let number = 0;
    // Each by choices of its own: how many one takes depends on the length of signatures, which are random.
    const exchanges = () => {
      number += 1;
      return number > most
        ? null
        : fuzzedExchange(new Choices(this.#settings.seed, connection, number), sender);
    };
    const target = { url, trust: authority.trustPem, localAddress, withinMilliseconds };
    const conversation = await converse(target, context, exchanges);
    result.connections += 1;
    result.requests += conversation.requests;
    const slowest = Math.round(conversation.slowestMilliseconds);
    result.slowestMilliseconds = Math.max(result.slowestMilliseconds, slowest);
    add(result.outcomes, conversation.outcomes);
    for (const { kind, words, bytes } of conversation.problems) {
      if (kind === 'unanswered') result.unanswered += 1;
      else if (kind === 'hang') result.hangs += 1;
      else result.faults += 1;
      const shown = JSON.stringify(bytes.toString('latin1').slice(0, 4000));
      this.#say(`seed ${this.#settings.seed}, connection ${connection}, ${kind}: ${words} ${shown}`);
    }
    return conversation;
  }
}

function add(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

/** All of 127.0.0.0/8 is loopback: each connection has a source of its own, by which its entries are found. */
function sourceOf(connection: number): string {
  return `127.${1 + (connection >>> 16)}.${(connection >>> 8) & 255}.${connection & 255}`;
}
