import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccountKeys } from './account-keys.ts';
import { account } from './account.ts';
import { authorization, challenge } from './authorization.ts';
import { certificate, certificateOf } from './certificate.ts';
import { directory, servedTemplates } from './directory.ts';
import { keyChange } from './key-change.ts';
import { type About, demandPower, readMessage, type Signature } from './message.ts';
import { newAccount } from './new-account.ts';
import { newOrder } from './new-order.ts';
import type { Nonces } from './nonce.ts';
import { order } from './order.ts';
import type { AcmePorts, Exchange, Reply } from './ports.ts';
import { AcmeError, malformed, notHere } from './problems.ts';
import { renewalInfo } from './renewal-info.ts';
import { revokeCert } from './revoke-cert.ts';
import type { AcmeStore, StoredAccount } from './store.ts';
import type { Resource } from './target.ts';
import { accountUrl } from './urls.ts';
import type { Validations } from './validations.ts';

/** What one handler has for all of its requests. */
export interface Served {
  readonly ports: AcmePorts;
  readonly nonces: Nonces;
  readonly keys: AccountKeys;
  readonly validations: Validations;
}

/** One request for a resource. */
export interface Asking {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  /** Called with whose message it is, once its signature holds: what is refused then is told of its owner. */
  readonly signed: (account: StoredAccount) => void;
}

/** Without a signature, and without a payload (RFC 8555 section 6.3). */
const unsigned = {
  directory: (exchange: Exchange, _request: IncomingMessage, ports: AcmePorts) => directory(exchange, ports),
  'new-nonce': (exchange: Exchange, request: IncomingMessage, ports: AcmePorts): Reply => {
    servedTemplates(exchange, ports);
    // RFC 8555 section 7.2: 200 to HEAD, 204 to GET.
    const status = request.method === 'HEAD' ? 200 : 204;
    return { status, headers: { 'Cache-Control': 'no-store' }, body: null };
  },
  'renewal-info': (exchange: Exchange, _request: IncomingMessage, ports: AcmePorts) => {
    servedTemplates(exchange, ports);
    return renewalInfo(exchange, ports);
  },
} as const;

/** By what each is signed (RFC 8555 section 6.2). */
const signatures = {
  // RFC 8555 section 6.3: "The server MUST allow GET requests for the directory and newNonce resources […], in addition to POST-as-GET requests for these resources."
  directory: 'account',
  'new-nonce': 'account',
  'new-account': 'key',
  'new-order': 'account',
  'revoke-cert': 'either',
  'key-change': 'account',
  account: 'account',
  order: 'account',
  authorization: 'account',
  challenge: 'account',
  certificate: 'account',
} as const satisfies Partial<Record<Resource, Signature>>;

type Unsigned = keyof typeof unsigned;
type Signed = keyof typeof signatures;

const isUnsigned = (resource: Resource): resource is Unsigned => resource in unsigned;
const isSigned = (resource: Resource): resource is Signed => resource in signatures;

/** @throws AcmeError */
export async function answer(resource: Resource | null, asking: Asking, served: Served): Promise<Reply> {
  if (resource === null) throw notHere();
  const { request, exchange } = asking;
  const isPost = request.method === 'POST';
  const methods = [...(isUnsigned(resource) ? ['GET', 'HEAD'] : []), ...(isSigned(resource) ? ['POST'] : [])];
  demandMethod(request, methods);
  if (isUnsigned(resource) && !isPost) return unsigned[resource](exchange, request, served.ports);
  return posted(resource as Signed, asking, served);
}

function demandMethod({ method = '' }: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(method)) return;
  throw new AcmeError('malformed', `this takes ${methods.join(' or ')}`, {
    status: 405,
    headers: { Allow: methods.join(', ') },
  });
}

type Read = <Found>(find: (store: AcmeStore) => Promise<Found>) => Promise<About<Found>>;

async function posted(resource: Signed, asking: Asking, served: Served): Promise<Reply> {
  const { request, response, exchange, signed } = asking;
  const { ports, nonces, keys, validations } = served;
  servedTemplates(exchange, ports);
  // RFC 8555 section 6.2: "they must have the Content-Type header field set to "application/jose+json"", or 415.
  if (!/^application\/jose\+json *(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw malformed('the Content-Type of a request is application/jose+json', 415);
  }
  const body = await ports.readBody(request, response);
  const expected = {
    url: exchange.url,
    accountUrl: (id: string) => accountUrl(exchange, id),
    signature: signatures[resource],
  };
  const read: Read = async (find) => {
    const message = await readMessage(
      body,
      expected,
      { store: ports.store, nonces, keys, now: ports.now() },
      find,
    );
    if (message.signer.by === 'account') {
      signed(message.signer.account);
      demandPower(message.signer.account);
    }
    return message;
  };
  const alone = () => read(async () => null);
  const [id = ''] = exchange.parts;
  switch (resource) {
    case 'directory':
    case 'new-nonce': {
      const { payload } = await alone();
      if (payload !== null) throw malformed('this takes POST-as-GET, or GET');
      return unsigned[resource](exchange, request, ports);
    }
    case 'new-account':
      return newAccount(await alone(), exchange, ports);
    case 'new-order':
      return newOrder(await alone(), exchange, ports);
    case 'revoke-cert':
      return revokeCert(await alone(), exchange, ports);
    case 'key-change':
      return keyChange(await alone(), exchange, ports);
    case 'account':
      return account(await alone(), exchange, ports);
    case 'order':
      return order(await read((store) => store.order(id)), exchange, ports);
    case 'authorization':
      return authorization(await read((store) => store.authorization(id)), exchange, ports);
    case 'challenge':
      return challenge(await read((store) => store.authorization(id)), exchange, ports, validations);
    case 'certificate':
      return certificate(await read((store) => certificateOf(id, ports, store)), exchange, ports);
  }
}
