/*
 * The load generator, a process of its own: clients, and where their names are proven. Told what to do by messages of its parent: `serve` starts the proofs,
 * `prepare` makes accounts and requests, `go` orders.
 */
import { AcmeClient, accountKey, orderCsr } from '../../test/harness/acme-client.ts';
import { Connection } from './connection.ts';
import { type Account, Orderer, type Wish, wishByHttp } from './order.ts';
import { type Proofs, startProofs } from './proofs.ts';

export interface Target {
  readonly directoryUrl: string;
  readonly ca: string;
  /** For an account each; null: the server asks for none. */
  readonly externalAccounts: readonly ({ readonly keyId: string; readonly hmacKey: string } | null)[];
  readonly workers: number;
  /** Below which names are ordered, each a new one; or the only name, where it has no dot at its beginning. */
  readonly names: string;
  readonly orders: number;
}

export type ToGenerator =
  | { readonly kind: 'serve'; readonly httpPort: number }
  | ({ readonly kind: 'prepare' } & Target)
  | { readonly kind: 'go'; readonly milliseconds: number };

export interface Load {
  /** Milliseconds of each order, in no order. */
  readonly latencies: readonly number[];
  readonly milliseconds: number;
  readonly errors: number;
  /** The first few. */
  readonly messages: readonly string[];
  readonly posts: number;
  readonly connections: number;
  /** CPU of this process, proofs included. */
  readonly cpuMilliseconds: number;
}

export type FromGenerator =
  | { readonly kind: 'serving'; readonly httpPort: number; readonly resolver: string }
  | { readonly kind: 'prepared' }
  | { readonly kind: 'done'; readonly load: Load }
  | { readonly kind: 'failed'; readonly message: string };

const mostMessages = 3;
/** A server that answers nothing any more is not asked for ever. */
const mostErrorsOfWorker = 20;

let proofs: Proofs;
let orderers: Orderer[] = [];
let wishes: Wish[] = [];
let names = 0;

async function prepare({ directoryUrl, ca, externalAccounts, workers, names: below, orders }: Target) {
  for (const orderer of orderers) orderer.close();
  const accounts: Account[] = [];
  let directory: Readonly<Record<string, string>> = {};
  for (const externalAccount of externalAccounts) {
    const client = await AcmeClient.at(directoryUrl, ca, accountKey());
    directory = client.directory;
    const { status, text } = await (externalAccount === null
      ? client
          .post(directory['newAccount']!, { termsOfServiceAgreed: true }, { by: 'jwk' })
          .then((answer) => {
            client.kid = answer.headers['location'] ?? null;
            return answer;
          })
      : client.register(externalAccount));
    if (status !== 201) throw new Error(text);
    accounts.push({ key: client.key, kid: client.kid! });
    client.close();
  }
  orderers = Array.from({ length: workers }, (_, at) => {
    const account = accounts[at % accounts.length]!;
    return new Orderer(new Connection(directoryUrl, ca), account, directory);
  });
  wishes = Array.from({ length: orders }, () => {
    const name = below.startsWith('.') ? `n${(names += 1)}${below}` : below;
    return wishByHttp(name, orderCsr([name]).toString('base64url'), proofs);
  });
}

async function go(milliseconds: number): Promise<Load> {
  const latencies: number[] = [];
  const messages: string[] = [];
  let errors = 0;
  const before = orderers.reduce((sum, { posts }) => sum + posts, 0);
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const work = async (orderer: Orderer) => {
    for (let failed = 0; performance.now() < started + milliseconds && failed < mostErrorsOfWorker;) {
      const wish = wishes.pop();
      if (wish === undefined) throw new Error('there were too few requests');
      const began = performance.now();
      try {
        await orderer.order(wish);
        latencies.push(performance.now() - began);
      } catch (error) {
        failed += 1;
        errors += 1;
        if (messages.length < mostMessages) messages.push(String(error).slice(0, 400));
      }
    }
  };
  await Promise.all(orderers.map(work));
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    latencies,
    milliseconds: performance.now() - started,
    errors,
    messages,
    posts: orderers.reduce((sum, { posts }) => sum + posts, 0) - before,
    connections: orderers.reduce((sum, { opened }) => sum + opened, 0),
    cpuMilliseconds: (user + system) / 1000,
  };
}

async function answerTo(message: ToGenerator): Promise<FromGenerator> {
  switch (message.kind) {
    case 'serve': {
      proofs = await startProofs(message.httpPort);
      const { httpPort, resolver } = proofs;
      return { kind: 'serving', httpPort, resolver };
    }
    case 'prepare':
      await prepare(message);
      return { kind: 'prepared' };
    case 'go':
      return { kind: 'done', load: await go(message.milliseconds) };
  }
}

process.on('message', (message: ToGenerator) => {
  void answerTo(message)
    .catch((error: unknown): FromGenerator => ({ kind: 'failed', message: String(error) }))
    .then((answer) => process.send?.(answer));
});
