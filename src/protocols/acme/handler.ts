import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Admission,
  type Answer,
  type Authority,
  named,
  observeManagement,
  type SourceObservation,
} from '#enrollment';
import { isSallyportError } from '#errors';
import { AccountKeys } from './account-keys.ts';
import { account } from './account.ts';
import { authorization, challenge } from './authorization.ts';
import { certificate, certificateOf } from './certificate.ts';
import { directory, servedTemplates } from './directory.ts';
import { keyChange } from './key-change.ts';
import { type About, demandPower, ownerOf, readMessage, type Signature } from './message.ts';
import { newAccount } from './new-account.ts';
import { newOrder } from './new-order.ts';
import { Nonces } from './nonce.ts';
import { order } from './order.ts';
import type { AcmeConnection, AcmePorts, Exchange, Reply } from './ports.ts';
import type { AcmeStore, StoredAccount } from './store.ts';
import { AcmeError, malformed, notHere, problemOfRefusal } from './problems.ts';
import { render, renderProblem } from './render.ts';
import { renewalInfo } from './renewal-info.ts';
import { revokeCert } from './revoke-cert.ts';
import { type AcmeTarget, parseTarget, type Resource } from './target.ts';
import { accountUrl } from './urls.ts';
import type { Validations } from './validations.ts';

/** ACME, RFC 8555: wire to orders and enrollments, and back. */
export function acmeHandler(ports: AcmePorts, validations: Validations) {
  const nonces = new Nonces(ports.store, () => ports.authority().macKeys, ports.random);
  const keys = new AccountKeys();
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    connection: AcmeConnection,
  ): Promise<void> => {
    const target = parseTarget(request.url ?? '');
    const source = sourceOf(target, request, connection, ports.authority());
    const admission = await ports.enrollment.admit(source);
    const nonce = nonces.issue(ports.now());
    const index = directoryUrl(request, target);
    if ('outcome' in admission) return renderAnswer(response, admission, nonce, index);
    const served = { ports, nonces, keys, validations };
    const answer = await serve(request, response, target, admission, served);
    // What was not read of the body is not read as the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    if ('outcome' in answer) return renderAnswer(response, answer, nonce, index);
    if (answer instanceof AcmeError) return renderProblem(response, answer, admission.id, nonce, index);
    render(response, answer, request.method === 'POST' || target.resource === 'new-nonce' ? nonce : null, {
      index: target.resource === 'directory' ? null : index,
      withBody: request.method !== 'HEAD',
    });
  };
}

interface Served {
  readonly ports: AcmePorts;
  readonly nonces: Nonces;
  readonly keys: AccountKeys;
  readonly validations: Validations;
}

/** Whose message it is, once its signature holds: what is refused then is told of its owner. */
interface Asking {
  account: StoredAccount | null;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  target: AcmeTarget,
  admission: Admission,
  served: Served,
): Promise<Reply | AcmeError | Answer> {
  const { ports } = served;
  const asking: Asking = { account: null };
  try {
    const exchange = exchangeOf(request, target, admission, ports);
    const { resource } = target;
    if (resource === null) throw notHere();
    return resource in byGet && !(request.method === 'POST' && isPosted(resource))
      ? await byGet[resource as keyof typeof byGet](request, exchange, ports)
      : await post(request, response, resource as Posted, exchange, target, served, asking);
  } catch (error) {
    const told = toldOf(error);
    if (told === null) return ports.enrollment.failed(admission, error);
    const owner = asking.account === null ? {} : ownerOf(asking.account);
    return (await ports.enrollment.rejected(admission, told, owner)) ?? told;
  }
}

/** null: a fault of ours. */
function toldOf(error: unknown): AcmeError | null {
  if (error instanceof AcmeError) return error;
  if (!isSallyportError(error, 'malformed', 'too-large')) return null;
  const status = error.code === 'too-large' ? 413 : 400;
  return new AcmeError('malformed', error.message, { status, cause: error });
}

/** Without a signature, and without a payload (RFC 8555 section 6.3). */
const byGet = {
  directory: (request: IncomingMessage, exchange: Exchange, ports: AcmePorts) => {
    demandMethod(request, ['GET', 'HEAD', 'POST']);
    return Promise.resolve(directory(exchange, ports));
  },
  'new-nonce': (request: IncomingMessage, exchange: Exchange, ports: AcmePorts) => {
    demandMethod(request, ['GET', 'HEAD', 'POST']);
    servedTemplates(exchange, ports);
    // RFC 8555 section 7.2: 200 to HEAD, 204 to GET.
    const status = request.method === 'HEAD' ? 200 : 204;
    return Promise.resolve<Reply>({ status, headers: { 'Cache-Control': 'no-store' }, body: null });
  },
  'renewal-info': (request: IncomingMessage, exchange: Exchange, ports: AcmePorts) => {
    demandMethod(request, ['GET', 'HEAD']);
    servedTemplates(exchange, ports);
    return renewalInfo(exchange, ports);
  },
} as const;

type Posted = Exclude<Resource, 'renewal-info'>;

function isPosted(resource: Resource): resource is Posted {
  return resource in signatures;
}

/** By what each is signed (RFC 8555 section 6.2). */
const signatures: Readonly<Record<Posted, Signature>> = {
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
};

async function post(
  request: IncomingMessage,
  response: ServerResponse,
  resource: Posted,
  exchange: Exchange,
  target: AcmeTarget,
  { ports, nonces, keys, validations }: Served,
  asking: Asking,
): Promise<Reply> {
  demandMethod(request, ['POST']);
  servedTemplates(exchange, ports);
  // RFC 8555 section 6.2: "they must have the Content-Type header field set to "application/jose+json"", or 415.
  if (!/^application\/jose\+json *(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw malformed('the Content-Type of a request is application/jose+json', 415);
  }
  const body = await ports.readBody(request, response);
  const url = `${exchange.base}${target.path}${target.query === '' ? '' : `?${target.query}`}`;
  const expected = {
    url,
    accountUrl: (id: string) => accountUrl(exchange, id),
    signature: signatures[resource],
  };
  const messagePorts = { store: ports.store, nonces, keys, now: ports.now() };
  const read: Read = async (find) => {
    const message = await readMessage(body, expected, messagePorts, find);
    if (message.signer.by === 'account') {
      asking.account = message.signer.account;
      demandPower(asking.account);
    }
    return message;
  };
  if (resource === 'directory' || resource === 'new-nonce') {
    const { payload } = await read(nothing);
    if (payload !== null) throw malformed('this takes POST-as-GET, or GET');
    return byGet[resource](request, exchange, ports);
  }
  return answerTo(resource, read, url, exchange, ports, validations);
}

type Read = <Found>(find: (store: AcmeStore) => Promise<Found>) => Promise<About<Found>>;

const nothing = async () => null;

async function answerTo(
  resource: Exclude<Posted, 'directory' | 'new-nonce'>,
  read: Read,
  url: string,
  exchange: Exchange,
  ports: AcmePorts,
  validations: Validations,
): Promise<Reply> {
  const [id = ''] = exchange.parts;
  switch (resource) {
    case 'new-account':
      return newAccount(await read(nothing), url, exchange, ports);
    case 'new-order':
      return newOrder(await read(nothing), exchange, ports);
    case 'revoke-cert':
      return revokeCert(await read(nothing), exchange, ports);
    case 'key-change':
      return keyChange(await read(nothing), url, exchange, ports);
    case 'account':
      return account(await read(nothing), exchange, ports);
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

function demandMethod(request: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(request.method ?? '')) return;
  throw new AcmeError('malformed', `this takes ${methods.join(' or ')}`, {
    status: 405,
    headers: { Allow: methods.join(', ') },
  });
}

/** The address that a client uses is the one that it signs, so it must be one of this listener's names: those in its certificate. */
function exchangeOf(
  { headers }: IncomingMessage,
  { template, parts, query }: AcmeTarget,
  admission: Admission,
  { isOwnHost }: AcmePorts,
): Exchange {
  const host = headers.host ?? '';
  if (!isOwnHost(host)) throw malformed('the Host of the request is no name of this server', 421);
  return { admission, base: `https://${host}`, template, parts, query };
}

function directoryUrl({ headers }: IncomingMessage, { template }: AcmeTarget): string {
  const host = /^[A-Za-z0-9.:[\]-]{1,270}$/.test(headers.host ?? '') ? headers.host : 'localhost';
  const isTemplate = template !== null && /^[a-z0-9-]{1,63}$/.test(template);
  return `https://${host}/acme/${isTemplate ? `${template}/` : ''}directory`;
}

function sourceOf(
  { resource, template, parts }: AcmeTarget,
  { method }: IncomingMessage,
  { listener, address, tls, clientCertificate }: AcmeConnection,
  authority: Authority,
): SourceObservation {
  const served = named(authority.references.listeners, listener)?.protocols.acme;
  const isServed = template !== null && served?.templates.includes(template) === true;
  const management = observeManagement(listener, clientCertificate, authority);
  const operation = resource === 'order' && parts[1] === 'finalize' ? 'finalize' : (resource ?? 'unknown');
  return {
    listener,
    protocol: 'acme',
    operation:
      method === 'POST' || resource === null ? operation : `${operation} (${String(method).slice(0, 16)})`,
    template: isServed ? template : null,
    address,
    tls,
    ...management,
  };
}

/** What was decided, or failed, before ACME had a word. */
function renderAnswer(response: ServerResponse, answer: Answer, nonce: string, index: string): void {
  if (answer.outcome === 'refused') {
    const { type: _, detail, status } = problemOfRefusal(answer);
    const retry = { 'Retry-After': String(answer.retryAfterSeconds ?? 60) };
    const error = new AcmeError(
      status === 429 ? 'rateLimited' : 'unauthorized',
      detail,
      status === 429 ? { headers: { ...retry, Connection: 'close' } } : {},
    );
    return renderProblem(response, error, null, nonce, index);
  }
  const retryAfterSeconds = answer.outcome === 'failed' ? answer.retryAfterSeconds : 5;
  const error = new AcmeError('serverInternal', 'the request could not be handled now; try again later', {
    status: 503,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
  renderProblem(response, error, answer.id, nonce, index);
}
