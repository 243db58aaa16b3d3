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
import { ownerOf } from './message.ts';
import { Nonces } from './nonce.ts';
import type { AcmeConnection, AcmePorts, Exchange, Reply } from './ports.ts';
import { AcmeError, malformed, problemOfRefusal } from './problems.ts';
import { render, renderProblem } from './render.ts';
import { answer, type Asking, type Served } from './resources.ts';
import type { StoredAccount } from './store.ts';
import { type AcmeTarget, parseTarget } from './target.ts';
import type { Validations } from './validations.ts';

/** ACME, RFC 8555: wire to orders and enrollments, and back. */
export function acmeHandler(ports: AcmePorts, validations: Validations) {
  const nonces = new Nonces(ports.store, () => ports.authority().macKeys, ports.random);
  const served = { ports, nonces, keys: new AccountKeys(), validations };
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
    const reply = await serve(request, response, target, admission, served);
    // What was not read of the body is not read as the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    if ('outcome' in reply) return renderAnswer(response, reply, nonce, index);
    if (reply instanceof AcmeError) return renderProblem(response, reply, admission.id, nonce, index);
    const wantsNonce = request.method === 'POST' || target.resource === 'new-nonce';
    render(response, reply, wantsNonce ? nonce : null, {
      index: target.resource === 'directory' ? null : index,
      withBody: request.method !== 'HEAD',
    });
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  target: AcmeTarget,
  admission: Admission,
  served: Served,
): Promise<Reply | AcmeError | Answer> {
  const { enrollment } = served.ports;
  let signer: StoredAccount | null = null;
  try {
    const exchange = exchangeOf(request, target, admission, served.ports);
    const signed: Asking['signed'] = (account) => (signer = account);
    return await answer(target.resource, { request, response, exchange, signed }, served);
  } catch (error) {
    const told = toldOf(error);
    if (told === null) return enrollment.failed(admission, error);
    return (await enrollment.rejected(admission, told, signer === null ? {} : ownerOf(signer))) ?? told;
  }
}

/** null: a fault of ours. */
function toldOf(error: unknown): AcmeError | null {
  if (error instanceof AcmeError) return error;
  if (!isSallyportError(error, 'malformed', 'too-large')) return null;
  const status = error.code === 'too-large' ? 413 : 400;
  return new AcmeError('malformed', error.message, { status, cause: error });
}

/** The address that a client uses is the one that it signs, so it must be one of this listener's names: those in its certificate. */
function exchangeOf(
  { headers }: IncomingMessage,
  { template, parts, path, query }: AcmeTarget,
  admission: Admission,
  { isOwnHost }: AcmePorts,
): Exchange {
  const host = headers.host ?? '';
  if (!isOwnHost(host)) throw malformed('the Host of the request is no name of this server', 421);
  const base = `https://${host}`;
  const url = `${base}${path}${query === '' ? '' : `?${query}`}`;
  return { admission, base, url, template, parts, query };
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
    const retry = { 'Retry-After': String(answer.retryAfterSeconds) };
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
