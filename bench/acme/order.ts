import { setTimeout } from 'node:timers/promises';
import { type AccountKey, flattened, type Json, thumbprintOf } from '../../test/harness/acme-client.ts';
import type { Connection, WireAnswer } from './connection.ts';
import type { Proofs } from './proofs.ts';

export interface Account {
  readonly key: AccountKey;
  readonly kid: string;
}

/** What is ordered, and how that is proven. */
export interface Wish {
  readonly identifier: { readonly type: string; readonly value: string };
  readonly challenge: 'http-01' | 'device-attest-01';
  /** DER in base64url. */
  readonly csr: string;
  /** What the challenge is answered with, whose proof is in place then. */
  answer(token: string, keyAuthorization: string): object;
  proven?(token: string): void;
}

export function wishByHttp(name: string, csr: string, { byToken }: Proofs): Wish {
  return {
    identifier: { type: 'dns', value: name },
    challenge: 'http-01',
    csr,
    answer(token, keyAuthorization) {
      byToken.set(token, keyAuthorization);
      return {};
    },
    proven: (token) => void byToken.delete(token),
  };
}

const pollMilliseconds = 10;
const mostPolls = 500;

/** One client: its connection, its account, its nonces. Follows what the server says; where that is not done yet it asks again soon, whatever Retry-After says. */
export class Orderer {
  readonly #connection: Connection;
  readonly #account: Account;
  readonly #directory: Readonly<Record<string, string>>;
  readonly #thumbprint: string;
  #nonce: string | null = null;
  /** Signed requests. */
  posts = 0;

  constructor(connection: Connection, account: Account, directory: Readonly<Record<string, string>>) {
    this.#connection = connection;
    this.#account = account;
    this.#directory = directory;
    this.#thumbprint = thumbprintOf(account.key);
  }

  get opened(): number {
    return this.#connection.opened;
  }

  /** Throws for any answer but the one that is right. */
  async order(wish: Wish): Promise<void> {
    const { identifier, csr } = wish;
    const made = await this.#post(this.#directory['newOrder']!, { identifiers: [identifier] }, 201);
    const order = bodyOf(made);
    const url = made.headers['location']!;
    for (const each of order['authorizations'] as string[]) await this.#prove(each, wish);
    const finalized = bodyOf(await this.#post(order['finalize'] as string, { csr }, 200));
    const { certificate } = await this.#until('valid', url, finalized);
    const { text } = await this.#post(certificate as string, null, 200);
    if (!text.startsWith('-----BEGIN CERTIFICATE-----')) throw new Error(`no certificate: ${text}`);
  }

  close(): void {
    this.#connection.close();
  }

  async #prove(url: string, wish: Wish): Promise<void> {
    const authorization = bodyOf(await this.#post(url, null, 200));
    if (authorization['status'] !== 'pending') throw new Error(`it is ${String(authorization['status'])}`);
    const challenge = (authorization['challenges'] as Json[]).find(({ type }) => type === wish.challenge)!;
    const token = challenge['token'] as string;
    const payload = wish.answer(token, `${token}.${this.#thumbprint}`);
    const answered = bodyOf(await this.#post(challenge['url'] as string, payload, 200));
    if (answered['status'] !== 'valid') await this.#until('valid', url, answered);
    wish.proven?.(token);
  }

  /** Polls until the resource has this status. */
  async #until(status: string, url: string, first: Json): Promise<Json> {
    let body = first;
    for (let polls = 0; body['status'] !== status; polls += 1) {
      if (!['pending', 'processing', 'ready'].includes(body['status'] as string) || polls === mostPolls) {
        throw new Error(`${url} is ${JSON.stringify(body)}`);
      }
      if (polls > 0) await setTimeout(pollMilliseconds);
      body = bodyOf(await this.#post(url, null, 200));
    }
    return body;
  }

  async #post(url: string, payload: unknown, expected: number): Promise<WireAnswer> {
    const nonce = this.#nonce ?? (await this.#newNonce());
    this.#nonce = null;
    const { key, kid } = this.#account;
    const header = { alg: key.alg, kid, nonce, url };
    const body = flattened(header, payload === null ? '' : JSON.stringify(payload), key);
    this.posts += 1;
    const answer = await this.#connection.ask('POST', url, JSON.stringify(body));
    this.#nonce = answer.headers['replay-nonce'] ?? null;
    if (answer.status === expected) return answer;
    throw new Error(`${url} answered ${answer.status}: ${answer.text}`);
  }

  async #newNonce(): Promise<string> {
    const { headers } = await this.#connection.ask('GET', this.#directory['newNonce']!, '');
    return headers['replay-nonce']!;
  }
}

function bodyOf({ text }: WireAnswer): Json {
  return JSON.parse(text) as Json;
}
