import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import https from 'node:https';
import { type ClientKey, makeCsr, makeKey } from './csr.ts';

const encode = (value: string | Uint8Array) => Buffer.from(value).toString('base64url');
const json = (value: unknown) => encode(JSON.stringify(value));

export type Json = Record<string, unknown>;

export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Record<string, string | undefined>;
  readonly link: readonly string[];
  readonly text: string;
  readonly body: Json;
}

export interface AccountKey {
  readonly alg: 'ES256' | 'ES384' | 'RS256' | 'EdDSA';
  readonly privateKey: KeyObject;
  readonly jwk: Json;
}

export function accountKey(alg: AccountKey['alg'] = 'ES256'): AccountKey {
  const pair =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' });
  return { alg, privateKey: pair.privateKey, jwk: pair.publicKey.export({ format: 'jwk' }) as Json };
}

/** RFC 7638. */
export function thumbprintOf({ jwk }: Pick<AccountKey, 'jwk'>): string {
  const names = Object.keys(jwk)
    .filter((name) => ['crv', 'kty', 'x', 'y', 'e', 'n'].includes(name))
    .toSorted();
  return hash(
    'sha256',
    JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]]))),
    'base64url',
  );
}

/** What stands in a message, for tests that want it wrong. */
export interface Wrong {
  readonly header?: Json;
  readonly url?: string;
  readonly nonce?: string | null;
  readonly contentType?: string;
  readonly by?: 'jwk' | 'kid';
  readonly kid?: string;
  readonly signWith?: AccountKey;
  readonly body?: (jws: Json) => unknown;
  readonly payload?: string;
}

/** An ACME client that says what it is told: right unless a test wants it wrong. */
export class AcmeClient {
  readonly directory: Record<string, string>;
  readonly meta: Json;
  key: AccountKey;
  kid: string | null = null;
  readonly #agent: https.Agent;
  readonly #nonces: string[];

  /** `nonces`: what it has left of them, shared with others of the same server. */
  static async at(
    directoryUrl: string,
    ca: string,
    key = accountKey(),
    nonces: string[] = [],
  ): Promise<AcmeClient> {
    const agent = new https.Agent({ keepAlive: true, ca, maxSockets: 1 });
    const { status, text, body } = await send(agent, directoryUrl, 'GET', {}, null);
    assert.equal(status, 200, text);
    return new AcmeClient(body as Record<string, string>, agent, key, nonces);
  }

  private constructor(
    directory: Record<string, string>,
    agent: https.Agent,
    key: AccountKey,
    nonces: string[],
  ) {
    this.directory = directory;
    this.meta = directory['meta'] as unknown as Json;
    this.#agent = agent;
    this.key = key;
    this.#nonces = nonces;
  }

  /** A resource that another node of the same server named, by this one's address. */
  here(url: string): string {
    return new URL(new URL(url).pathname, this.directory['newOrder']).href;
  }

  /** The same account on a connection of its own. */
  twin(ca: string): AcmeClient {
    const agent = new https.Agent({ keepAlive: true, ca, maxSockets: 1 });
    const twin = new AcmeClient(this.directory, agent, this.key, []);
    twin.kid = this.kid;
    return twin;
  }

  close(): void {
    this.#agent.destroy();
  }

  async nonce(): Promise<string> {
    const kept = this.#nonces.pop();
    if (kept !== undefined) return kept;
    const { headers } = await send(this.#agent, this.directory['newNonce']!, 'HEAD', {}, null);
    return headers['replay-nonce']!;
  }

  get(url: string, method = 'GET'): Promise<AcmeAnswer> {
    return send(this.#agent, url, method, {}, null);
  }

  /** `payload` null: POST-as-GET. */
  async post(url: string, payload: unknown, wrong: Wrong = {}): Promise<AcmeAnswer> {
    const nonce = wrong.nonce === undefined ? await this.nonce() : wrong.nonce;
    const body = this.message(url, payload, nonce, wrong);
    const answer = await send(
      this.#agent,
      url,
      'POST',
      { 'Content-Type': wrong.contentType ?? 'application/jose+json' },
      Buffer.from(JSON.stringify(wrong.body === undefined ? body : wrong.body(body))),
    );
    const next = answer.headers['replay-nonce'];
    if (next !== undefined) this.#nonces.push(next);
    return answer;
  }

  message(url: string, payload: unknown, nonce: string | null, wrong: Wrong = {}): Json {
    const signer = wrong.signWith ?? this.key;
    const by = wrong.by ?? (this.kid === null ? 'jwk' : 'kid');
    const header = {
      alg: signer.alg,
      ...(by === 'jwk' ? { jwk: this.key.jwk } : { kid: wrong.kid ?? this.kid }),
      ...(nonce === null ? {} : { nonce }),
      url: wrong.url ?? url,
      ...wrong.header,
    };
    return flattened(header, wrong.payload ?? (payload === null ? '' : JSON.stringify(payload)), signer);
  }

  binding(
    eab: { keyId: string; hmacKey: string },
    wrong: { url?: string; jwk?: Json; alg?: string } = {},
  ): Json {
    const header = json({
      alg: wrong.alg ?? 'HS256',
      kid: eab.keyId,
      url: wrong.url ?? this.directory['newAccount'],
    });
    const payload = json(wrong.jwk ?? this.key.jwk);
    const mac = createHmac('sha256', Buffer.from(eab.hmacKey, 'base64url')).update(`${header}.${payload}`);
    return { protected: header, payload, signature: mac.digest('base64url') };
  }

  /** `eab` null: without an external account key. */
  async register(eab: { keyId: string; hmacKey: string } | null, more: Json = {}): Promise<AcmeAnswer> {
    const binding = eab === null ? {} : { externalAccountBinding: this.binding(eab) };
    const payload = { termsOfServiceAgreed: true, ...binding, ...more };
    const answer = await this.post(this.directory['newAccount']!, payload, { by: 'jwk' });
    if (answer.status < 300) this.kid = answer.headers['location']!;
    return answer;
  }

  order(names: readonly (string | Json)[], more: Json = {}): Promise<AcmeAnswer> {
    const identifiers = names.map((name) => (typeof name === 'string' ? { type: 'dns', value: name } : name));
    return this.post(this.directory['newOrder']!, { identifiers, ...more });
  }

  keyAuthorization(token: string): string {
    return `${token}.${thumbprintOf(this.key)}`;
  }

  /** Answers every pending authorization of an order. `prove` puts the proof in place. */
  async prove(
    order: Json,
    type: string,
    prove: (proof: { name: string; token: string; keyAuthorization: string }) => Promise<void> | void,
  ): Promise<AcmeAnswer[]> {
    const answers: AcmeAnswer[] = [];
    for (const url of order['authorizations'] as string[]) {
      const { body } = await this.post(url, null);
      if (body['status'] !== 'pending') continue;
      const challenge = (body['challenges'] as Json[]).find((each) => each['type'] === type)!;
      const token = challenge['token'] as string;
      const name = (body['identifier'] as { value: string }).value;
      await prove({ name, token, keyAuthorization: this.keyAuthorization(token) });
      answers.push(await this.post(challenge['url'] as string, {}));
    }
    return answers;
  }

  async finalize(order: Json, csr: Uint8Array): Promise<AcmeAnswer> {
    return this.post(order['finalize'] as string, { csr: encode(csr) });
  }

  /** The chain, PEM. */
  async download(order: Json): Promise<string> {
    const { status, text } = await this.post(order['certificate'] as string, null);
    assert.equal(status, 200, text);
    return text;
  }
}

/** A request for names. */
export function orderCsr(names: readonly string[], key: ClientKey = makeKey()): Buffer {
  return makeCsr({ key, subjectAltName: names.map((value) => ({ kind: 'dns', value })) });
}

export function flattened(header: Json, payload: string, { alg, privateKey }: AccountKey): Json {
  const signed = { protected: json(header), payload: encode(payload) };
  const input = Buffer.from(`${signed.protected}.${signed.payload}`);
  const digest = alg === 'EdDSA' ? null : alg === 'ES384' ? 'sha384' : 'sha256';
  const signature = sign(digest, input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return { ...signed, signature: encode(signature) };
}

async function send(
  agent: https.Agent,
  url: string,
  method: string,
  headers: Record<string, string>,
  body: Buffer | null,
): Promise<AcmeAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'Content-Length': String(body.length) };
    const request = https.request(url, { agent, method, headers: { ...headers, ...length } }, (response) => {
      response.toArray().then((parts: Buffer[]) => {
        const text = Buffer.concat(parts).toString();
        const type = response.headers['content-type'] ?? '';
        const links = response.rawHeaders.filter(
          (_, at, all) => at % 2 === 1 && /^link$/i.test(all[at - 1]!),
        );
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string | undefined>,
          link: links,
          text,
          body: /json/.test(type) && text !== '' ? (JSON.parse(text) as Json) : {},
        });
      }, reject);
    });
    request.once('error', reject);
    request.end(body ?? undefined);
  });
}
