import http from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { inParallel } from '../../bench/workers.ts';
import {
  anyPorts,
  type Cleanup,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { type ClientKey, csrFor } from '../harness/csr.ts';
import { logSize } from '../harness/entries.ts';
import { ScepClient } from '../harness/scep-client.ts';
import { Choices } from './choices.ts';
import { countEntries } from './entry-counts.ts';
import type { FuzzSettings } from './fuzz.ts';
import { fuzzedMessage, type ScepAsker, SignedOnce } from './scep-messages.ts';
import { findUnentitled } from './unentitled.ts';

/** New secrets come, and the log is read, after so many messages. */
const messagesInRound = 1000;
const withinMilliseconds = 20_000;
const devices = 12;

/** Mutated messages of SCEP against `sallyport serve`, by POST and GET, each on a connection and from an address of its own. */
export class ScepFuzz {
  readonly result = {
    requests: 0,
    /** By status of HTTP. */
    outcomes: {} as Record<string, number>,
    entriesByOutcome: {} as Record<string, number>,
    certificates: 0,
    unlogged: 0,
    surplus: 0,
    faults: 0,
    hangs: 0,
    unanswered: 0,
    unentitled: 0,
  };
  readonly authority: ServedAuthority;
  readonly #settings: FuzzSettings;
  readonly #say: (line: string) => void;
  readonly #client: ScepClient;
  readonly #keys: readonly ClientKey[];
  readonly #faults: readonly string[];
  #message: number;

  private constructor(
    authority: ServedAuthority,
    client: ScepClient,
    keys: readonly ClientKey[],
    faults: readonly string[],
    settings: FuzzSettings,
    say: (line: string) => void,
  ) {
    this.authority = authority;
    this.#client = client;
    this.#keys = keys;
    this.#faults = faults;
    this.#settings = settings;
    this.#say = say;
    this.#message = settings.firstConnection ?? 0;
  }

  static async start(
    cleanup: Cleanup,
    settings: FuzzSettings,
    say: (line: string) => void,
  ): Promise<ScepFuzz> {
    const authority = await serveAuthority(await initAuthority(cleanup, configuration), {}, { quiet: true });
    cleanup.after(() => authority.stop());
    const faults: string[] = [];
    createInterface({ input: authority.process.stderr! }).on('line', (line) => {
      if (!/^\S+ finding: /.test(line)) faults.push(line);
    });
    const keys = await Promise.all(Array.from({ length: devices }, rsaKey));
    for (let at = 0; at < devices; at += 1) await authority.admin.device(idOf(at));
    const client = await ScepClient.at(`${authority.scep}/device`);
    return new ScepFuzz(authority, client, keys, faults, settings, say);
  }

  async run(afterRound: () => void = () => {}) {
    const { result, authority } = this;
    const deadline = performance.now() + (this.#settings.milliseconds ?? Infinity);
    const goesOn = () =>
      result.requests < this.#settings.requests && performance.now() < deadline && this.#isAlive();
    while (goesOn()) {
      await this.#round(goesOn);
      afterRound();
    }
    if (this.#isAlive()) {
      const entitled = new Map(
        this.#keys.map(({ spki }, at) => [
          idOf(at),
          {
            template: isApproved(at) ? 'device' : null,
            subjectAltName: [],
            madeKeys: false,
            spkis: [spki],
          },
        ]),
      );
      const { certificates, problems } = await findUnentitled(authority, entitled);
      result.certificates = certificates;
      result.unentitled = problems.length;
      problems.forEach(this.#say);
    } else {
      this.#say(`the process ended with ${authority.process.exitCode ?? authority.process.signalCode}`);
      result.faults += 1;
    }
    this.#faults.forEach(this.#say);
    result.faults += this.#faults.length;
    return result;
  }

  #isAlive(): boolean {
    const { exitCode, signalCode } = this.authority.process;
    return exitCode === null && signalCode === null;
  }

  async #round(goesOn: () => boolean): Promise<void> {
    const { authority, result } = this;
    const askers = await this.#askers();
    const logged = await logSize(authority);
    const answered = new Map<string, number>();
    const first = this.#message;
    this.#message += messagesInRound;
    const numbers = Array.from({ length: messagesInRound }, (_, at) => first + at);
    await inParallel(numbers, this.#settings.workers, async (number) => {
      if (!goesOn()) return;
      const source = sourceOf(number);
      answered.set(source, await this.#ask(number, askers, source));
    });
    if (!this.#isAlive()) return;
    const { bySource, byOutcome } = await countEntries(authority, logged);
    for (const [name, count] of Object.entries(byOutcome)) {
      result.entriesByOutcome[name] = (result.entriesByOutcome[name] ?? 0) + count;
    }
    for (const [source, owed] of answered) {
      const found = bySource.get(source) ?? 0;
      result.unlogged += Math.max(0, owed - found);
      result.surplus += Math.max(0, found - 1);
      if (found < owed || found > 1) this.#say(`source ${source}: ${found} entries for ${owed} answers`);
    }
  }

  /** With new secrets, and new certificates for who is approved: an approval is good for one, and without it nearly all would be held. */
  async #askers(): Promise<ScepAsker[]> {
    const askers = await Promise.all(
      this.#keys.map(async (key, at) => {
        const id = idOf(at);
        const secret = await this.authority.admin.secret(id);
        return { id, key, secret, signed: new SignedOnce(), at };
      }),
    );
    const approved = askers.filter(({ at }) => isApproved(at));
    await Promise.all(approved.map(async (asker) => this.#first(asker)));
    await this.#approve(new Set(approved.map(({ id }) => id)));
    return Promise.all(
      askers.map(async (asker) => {
        if (!isApproved(asker.at)) return { ...asker, certificate: null };
        const [certificate = null] = await this.#first(asker);
        if (certificate === null) {
          this.#say(`the fuzzer: ${asker.id} is approved and got no certificate`);
          this.result.faults += 1;
        }
        return { ...asker, certificate };
      }),
    );
  }

  async #approve(devices: ReadonlySet<string>): Promise<void> {
    const { client } = this.authority.admin;
    for (let after: string | undefined; ;) {
      const page = await client.perform('listRequests', {
        state: 'pending',
        limit: 200,
        ...(after === undefined ? {} : { after }),
      });
      for (const { id, device } of page.items) {
        if (devices.has(device)) await client.perform('approveRequest', { id });
      }
      if (page.next === null) return;
      after = page.next;
    }
  }

  async #first({ id, key, secret }: Pick<ScepAsker, 'id' | 'key' | 'secret'>) {
    const content = csrFor(id, key, { challengePassword: secret });
    return (await this.#client.ask({ content, key })).certificates;
  }

  /** How many entries the answer must have. */
  async #ask(number: number, askers: readonly ScepAsker[], localAddress: string): Promise<number> {
    const { result } = this;
    const { seed } = this.#settings;
    const choices = new Choices(seed, number);
    const asker = choices.pick(askers);
    let body: Uint8Array;
    try {
      body = await fuzzedMessage(choices, this.#client, asker, askers);
    } catch (error) {
      this.#say(`seed ${seed}, message ${number}: the fuzzer: ${String(error)}`);
      result.faults += 1;
      return 0;
    }
    result.requests += 1;
    const outcome = await send(this.#client.url, body, choices.chance(0.15), localAddress);
    result.outcomes[outcome.what] = (result.outcomes[outcome.what] ?? 0) + 1;
    const problem = outcome.what === 'hang' || outcome.what === 'ended' || outcome.what.startsWith('5');
    if (problem) {
      if (outcome.what === 'hang') result.hangs += 1;
      else if (outcome.what === 'ended') result.unanswered += 1;
      else result.faults += 1;
      this.#say(
        `seed ${seed}, message ${number}: ${outcome.what} ${outcome.why ?? ''} to ${Buffer.from(body).toString('base64')}`,
      );
    }
    return outcome.isOurs ? 1 : 0;
  }
}

interface Sent {
  readonly what: string;
  /** Of a connection that ended. */
  readonly why?: string;
  /** Not the HTTP parser's own. */
  readonly isOurs: boolean;
}

function send(url: string, body: Uint8Array, byGet: boolean, localAddress: string): Promise<Sent> {
  return new Promise((resolve) => {
    const ended = ({ message }: Error) => resolve({ what: 'ended', why: message, isOurs: false });
    const query = byGet ? `&message=${encodeURIComponent(Buffer.from(body).toString('base64'))}` : '';
    const options = {
      method: byGet ? 'GET' : 'POST',
      localAddress,
      agent: false,
      timeout: withinMilliseconds,
      headers: byGet ? {} : { 'Content-Length': String(body.length) },
    };
    const request = http.request(`${url}?operation=PKIOperation${query}`, options, (response) => {
      response.resume();
      const isOurs = response.headers['content-type'] !== undefined;
      response.on('end', () => resolve({ what: String(response.statusCode), isOurs }));
      response.on('error', ended);
    });
    request.on('timeout', () => {
      resolve({ what: 'hang', isOurs: false });
      request.destroy();
    });
    request.on('error', ended);
    request.end(byGet ? undefined : body);
  });
}

function configuration(yaml: string): string {
  return anyPorts(
    yaml
      .replace('  device:\n', '  device:\n    legacyAlgorithms: [laptop]\n')
      .replaceAll(
        /\{ burst: \d+, count: \d+, period: \w+ \}/g,
        '{ burst: 1000000, count: 1000000, period: 1s }',
      ),
  );
}

const idOf = (at: number) => `fuzz-scep-${at}`;

/** The others must get nothing. */
const isApproved = (at: number) => at % 3 !== 2;

/** All of 127.0.0.0/8 is loopback: each message has a source of its own, by which its entry is found. */
function sourceOf(number: number): string {
  return `127.${1 + ((number >>> 16) & 127)}.${(number >>> 8) & 255}.${number & 255}`;
}

const generate = promisify(generateKeyPair);

async function rsaKey(): Promise<ClientKey> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: 2048 });
  return {
    algorithm: 'rsa-2048',
    privateKey,
    spki: publicKey.export({ type: 'spki', format: 'der' }),
  };
}
