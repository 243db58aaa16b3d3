import { newId } from '#admin';
import { type CallEntry, newEntry } from '#enrollment';
import { isSallyportError } from '#errors';
import { cidrContains, parseCidr, type RateLimit, sourceKey, spend } from '#limits';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate } from './authenticate.ts';
import { parseAuthorization } from './authorization.ts';
import { type ApiConnection, type ApiPorts, type Call, isRefusal, type Refusal, type Reply } from './call.ts';
import { apiProblem, refusalOf } from './problem.ts';
import { locate, type Route } from './route.ts';
import { routesOf } from './routes.ts';

/** Guessing a token of 256 bits is hopeless; this keeps who tries from filling the log with tries. Who has a right one is not kept out by it. */
const guesses: RateLimit = { burst: 20, count: 20, periodSeconds: 60 };

const retryAfterFaultSeconds = 5;

/** What is known of a call so far: its entry says as much. */
interface Known {
  readonly id: string;
  readonly time: number;
  readonly source: CallEntry['source'];
  machine: string | null;
  route: Route | null;
  readonly about: Call['about'];
}

/**
 * The API of machines. Each call ends as one entry of the log: its act's own, or one that says what was answered or which check objected. Nothing is read of the
 * body, looked up or told before the machine is known.
 */
export function apiHandler(ports: ApiPorts) {
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    connection: ApiConnection,
  ): Promise<void> => {
    const { listener, address, tls } = connection;
    const known: Known = {
      id: newId('call', ports.admin.random),
      time: ports.admin.clock.now(),
      source: { listener, address, tls },
      machine: null,
      route: null,
      about: {},
    };
    try {
      const outcome = await decide(ports, known, request, response, connection);
      if (isRefusal(outcome)) await refuse(ports, known, response, outcome);
      else await reply(ports, known, response, outcome);
    } catch (error) {
      await fail(ports, known, response, error);
    }
  };
}

async function decide(
  ports: ApiPorts,
  known: Known,
  request: IncomingMessage,
  response: ServerResponse,
  connection: ApiConnection,
): Promise<Reply | Refusal> {
  const { address } = connection;
  const tooMany = await admit(ports, 'api', ports.sourceLimit(), known);
  if (tooMany !== null) {
    return { ...tooMany, reason: 'source-rate', words: 'too many calls from this address' };
  }
  if (!ports.listener().sources.some((range) => cidrContains(parseCidr(range), address))) {
    return { reason: 'source-range', status: 403, words: 'no machine calls from this address' };
  }
  // Browsers say so with whatever a page makes them ask (Fetch, `Origin` header; Fetch Metadata, Sec-Fetch-Site): no page is of ours.
  const site = request.headers['sec-fetch-site'] ?? 'none';
  if (request.headers.origin !== undefined || site !== 'none') {
    return { reason: 'origin', status: 403, words: 'this is for machines, and not for pages in a browser' };
  }
  const { pathname, query } = targetOf(request);
  const located = locate(routesOf(ports.listener()), request.method ?? '', pathname);
  const route = located !== null && 'route' in located ? located.route : null;
  known.route = route;
  const recognised = await authenticate(ports.admin.store, {
    token: parseAuthorization(request.headersDistinct['authorization'] ?? [], route?.basic === true),
    certificate: connection.clientCertificate()?.certificate ?? null,
    address,
    now: known.time,
  });
  if ('refused' in recognised) {
    known.machine = recognised.holder;
    return refusalOfUnknown(ports, known, recognised.refused);
  }
  const { machine } = recognised;
  known.machine = machine.name;
  if (located === null) return { reason: 'path', status: 404, words: 'there is nothing at this path' };
  if ('allow' in located) {
    const allow = located.allow.join(', ');
    return { reason: 'method', status: 405, words: `this path takes ${allow}`, headers: { allow } };
  }
  const { scope, forbidden, run } = located.route;
  if (scope !== null && !machine.scopes.includes(scope)) {
    const words = `machine ${machine.name} does not have the scope ${scope}`;
    return { reason: 'scope', status: 403, words, ...(forbidden === undefined ? {} : { page: forbidden }) };
  }
  const call: Call = {
    machine,
    source: known.source,
    parameters: located.parameters,
    query,
    body: () => ports.readBody(request, response),
    contentType: request.headers['content-type'] ?? null,
    about: known.about,
  };
  try {
    return await run(ports, call);
  } catch (error) {
    const refusal = isSallyportError(error) ? refusalOf(error) : null;
    if (refusal === null) throw error;
    return refusal;
  }
}

/** RFC 9112 section 3.2.1: origin-form, taken as it came. Whatever else there is names no path here. */
function targetOf({ url = '' }: IncomingMessage): { pathname: string; query: URLSearchParams } {
  const [pathname = '', ...rest] = url.split('?');
  return { pathname, query: new URLSearchParams(rest.join('?')) };
}

/** Which part was wrong is for the log: a thief shall not learn that the token is right and the place is not. */
async function refusalOfUnknown(ports: ApiPorts, known: Known, reason: Refusal['reason']): Promise<Refusal> {
  const tooMany = await admit(ports, 'api-guess', guesses, known);
  if (tooMany !== null) {
    return {
      ...tooMany,
      reason: 'guess-rate',
      words: 'too many calls from this address that no machine made',
    };
  }
  const scheme = known.route?.basic === true ? 'Basic realm="Sallyport", charset="UTF-8"' : 'Bearer';
  const headers = { 'www-authenticate': scheme };
  return { reason, status: 401, words: 'no machine is known by this', headers };
}

/** Counts the call under the source; null where that conforms. */
async function admit(
  { store }: ApiPorts,
  purpose: 'api' | 'api-guess',
  limit: RateLimit,
  { source, time: now }: Known,
): Promise<Pick<Refusal, 'status' | 'headers'> | null> {
  const { tat } = await store.admit({ sourceKey: `${purpose}:${sourceKey(source.address)}`, limit, now });
  const { conforms, retryAfterSeconds } = spend(limit, tat, now);
  return conforms ? null : { status: 429, headers: { 'retry-after': String(retryAfterSeconds) } };
}

async function reply(
  ports: ApiPorts,
  known: Known,
  response: ServerResponse,
  { type, body }: Reply,
): Promise<void> {
  if (known.route?.changes !== true) await record(ports, known, { outcome: 'done' });
  send(response, 200, type, body, {});
}

async function refuse(
  ports: ApiPorts,
  known: Known,
  response: ServerResponse,
  { reason, status, words, headers, page }: Refusal,
): Promise<void> {
  const told = reason === 'act';
  await record(ports, known, {
    outcome: 'refused',
    reason,
    // An act's own words name what it objects to; those of a malformed request may repeat what stood in it.
    error: told
      ? { code: status === 404 ? 'not-found' : status === 409 ? 'conflict' : 'forbidden', message: words }
      : null,
  });
  const problem = JSON.stringify(apiProblem(status, words, known.id));
  const { type, body } = page ?? { type: 'application/problem+json', body: problem };
  send(response, status, type, body, headers ?? {});
}

async function fail(ports: ApiPorts, known: Known, response: ServerResponse, error: unknown): Promise<void> {
  ports.admin.report({ id: known.id, error });
  // Not waited for: the store that failed may take its time to fail again.
  record(ports, known, { outcome: 'failed' }).catch(() => undefined);
  const problem = apiProblem(503, 'the authority cannot answer now', known.id);
  const headers = { 'retry-after': String(retryAfterFaultSeconds) };
  send(response, 503, 'application/problem+json', JSON.stringify(problem), headers);
}

/** A device that was erased meanwhile, or never was, is not named: nobody could erase that again. */
async function record(ports: ApiPorts, known: Known, end: CallEnd): Promise<void> {
  const { device } = known.about;
  if (device === undefined) return append(ports, known, end, []);
  try {
    await append(ports, known, end, [device]);
  } catch (error) {
    if (!isSallyportError(error, 'conflict')) throw error;
    delete known.about.device;
    const nameless = end.error ? { ...end, error: { ...end.error, message: '' } } : end;
    await append(ports, known, nameless, []);
  }
}

type CallEnd = Pick<CallEntry, 'outcome'> & Partial<Pick<CallEntry, 'reason' | 'error'>>;

async function append(
  { store, admin }: ApiPorts,
  { id, time, source, machine, route, about }: Known,
  { outcome, reason = null, error = null }: CallEnd,
  naming: readonly string[],
): Promise<void> {
  const entry: CallEntry = {
    type: 'call',
    version: 2,
    id,
    time,
    source,
    machine,
    act: route?.act ?? null,
    outcome,
    reason,
    error,
    detail: { ...about },
  };
  await store.record(newEntry(entry, admin.random), naming);
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    'content-type': type,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What was not read of the body is not read as the next request.
    ...(response.req.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
