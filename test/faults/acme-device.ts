import { pemToDer } from '#x509';
import { type AcmeAnswer, AcmeClient, accountKey, orderCsr } from '../harness/acme-client.ts';
import { statusOf } from '../harness/acme-answers.ts';
import type { ServedAuthority } from '../harness/authority.ts';

/** Puts a proof where the authority looks for it. */
export type Prove = (proof: { readonly token: string; readonly keyAuthorization: string }) => void;

export interface OrderedCertificate {
  /** The id of its order. */
  readonly order: string;
  /** With its chain. */
  readonly pem: string;
  readonly der: Uint8Array;
}

interface Order {
  readonly url: string;
  readonly csr: Uint8Array;
}

interface ExternalAccountKey {
  readonly keyId: string;
  readonly hmacKey: string;
}

/** A device whose owner orders certificates for one name, and goes on where he stood, whatever was lost on the way. */
export class AcmeDevice {
  readonly id: string;
  readonly name: string;
  /** The newest, and the order that it came of. */
  certificate: OrderedCertificate | null = null;
  readonly #externalAccountKey: ExternalAccountKey;
  readonly #key = accountKey();
  readonly #clients = new Map<ServedAuthority, AcmeClient>();
  /** Good at every node, and after a new start. */
  readonly #nonces: string[] = [];
  #account: string | null = null;
  #order: Order | null = null;

  constructor(id: string, name: string, externalAccountKey: ExternalAccountKey) {
    this.id = id;
    this.name = name;
    this.#externalAccountKey = externalAccountKey;
  }

  /** As far towards the certificate as it goes now (RFC 8555 section 7.1.6). The answer that it ends with. */
  async advance(node: ServedAuthority, prove: Prove): Promise<AcmeAnswer> {
    const client = await this.#at(node);
    const order = await this.#ordered(client);
    if ('status' in order) return order;
    const url = client.here(order.url);
    let answer = await client.post(url, null);
    if (statusOf(answer) === 'pending') {
      await client.prove(answer.body, 'http-01', prove);
      answer = await client.post(url, null);
    }
    if (statusOf(answer) === 'ready') answer = await client.finalize(answer.body, order.csr);
    if (statusOf(answer) !== 'valid') return answer;
    const downloaded = await client.post(answer.body['certificate'] as string, null);
    if (downloaded.status !== 200) return downloaded;
    const { text: pem } = downloaded;
    this.certificate = { order: url.split('/').at(-1)!, pem, der: pemToDer(pem, 'CERTIFICATE')[0]! };
    if (this.#order === order) this.#order = null;
    return downloaded;
  }

  /** Answers a challenge without a proof, and asks for the certificate all the same. The order as it is then. */
  async presume(node: ServedAuthority): Promise<AcmeAnswer> {
    const client = await this.#at(node);
    const order = await this.#ordered(client);
    if ('status' in order) return order;
    const url = client.here(order.url);
    const { status, body } = await client.post(url, null);
    if (status === 200) {
      await client.prove(body, 'http-01', () => undefined);
      await client.finalize(body, order.csr);
    }
    return client.post(url, null);
  }

  async revoke(node: ServedAuthority): Promise<AcmeAnswer> {
    const client = await this.#at(node);
    const certificate = Buffer.from(this.certificate!.der).toString('base64url');
    return client.post(client.directory['revokeCert']!, { certificate });
  }

  /** Each process has addresses of its own. */
  async #at(node: ServedAuthority): Promise<AcmeClient> {
    const directory = `${new URL(node.est).origin}/acme/web/directory`;
    const client =
      this.#clients.get(node) ?? (await AcmeClient.at(directory, node.trustPem, this.#key, this.#nonces));
    this.#clients.set(node, client);
    client.kid = this.#account && client.here(this.#account);
    return client;
  }

  /** The order that is open; else what it was refused with. */
  async #ordered(client: AcmeClient): Promise<Order | AcmeAnswer> {
    if (this.#order !== null) return this.#order;
    if (this.#account === null) {
      const registered = await client.register(this.#externalAccountKey);
      if (client.kid === null) return registered;
      this.#account = client.kid;
    }
    const ordered = await client.order([this.name]);
    if (ordered.status !== 201) return ordered;
    this.#order = { url: ordered.headers['location']!, csr: orderCsr([this.name]) };
    return this.#order;
  }
}
