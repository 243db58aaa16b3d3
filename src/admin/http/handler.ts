import { isSallyportError, SallyportError } from '#errors';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ActInput, ActName } from '../acts.ts';
import type { Admin } from '../admin.ts';
import type { Operator } from '../operator.ts';
import { parseJsonObject, parseQuery, readBody } from './body.ts';
import { answerLogDocument, isBelowLog } from './log-documents.ts';
import { problem, type Problem, sendProblem, statusOf } from './problem.ts';
import { locate } from './route-table.ts';

/** Octets. */
export interface BodyLimits {
  readonly usual: number;
  /** A list of devices may be longer than any other body: 100,000 devices fit, with quotation marks and line ends escaped. */
  readonly deviceList: number;
}

const safeLimits: BodyLimits = { usual: 64 * 1024, deviceList: 64 * 1024 * 1024 };

/** HTTP over the local socket to acts, and to the log's tiles. Nothing is read, looked up or told before the operator is known. */
export function adminHandler(admin: Admin, limits: BodyLimits = safeLimits): RequestListener {
  return (request, response) => {
    answer(admin, limits, request, response).catch((error: unknown) => {
      // The body may still be coming: nobody reads it, so the connection ends with this answer.
      sendProblem(response, problemOf(admin, error), { connection: 'close' });
    });
  };
}

function problemOf(admin: Admin, error: unknown): Problem {
  if (isSallyportError(error) && statusOf[error.code] !== 500) return problem(error.code, error.message);
  return problem('internal', `a fault of the authority: look for ${admin.fault(error)} in what it printed`);
}

async function answer(
  admin: Admin,
  limits: BodyLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const operator = await recognise(admin, request);
  if (operator === null) {
    // RFC 9110 section 11.6.1: a 401 names the scheme that would do.
    const headers = { 'www-authenticate': 'Bearer', connection: 'close' };
    sendProblem(
      response,
      problem('forbidden', 'no operator has this token; name its file with --operator-token', 401),
      headers,
    );
    return;
  }
  if (isBelowLog(request)) {
    await answerLogDocument(admin, request, response);
    return;
  }
  const target = parseTarget(request);
  const located = locate(request.method ?? '', target.pathname);
  if (located === null) throw new SallyportError('not-found', 'there is nothing at this path');
  if ('allow' in located) {
    const allow = located.allow.join(', ');
    sendProblem(response, problem('usage', `this path takes ${allow}`, 405), { allow, connection: 'close' });
    return;
  }
  const { name, parameters } = located;
  const limit = name === 'importDevices' ? limits.deviceList : limits.usual;
  const given = request.method === 'GET' ? parseQuery(target.searchParams) : await parseBody(request, limit);
  const doubled = Object.keys(parameters).find((key) => Object.hasOwn(given, key));
  if (doubled !== undefined) throw new SallyportError('usage', `${doubled} is in the path already`);

  // What came over the wire is whatever it is: `perform` parses it.
  const input = { ...given, ...parameters } as ActInput<ActName>;
  const result = await admin.perform(name, operator, input);
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(result));
}

/** RFC 6750 section 2.1. */
async function recognise(admin: Admin, request: IncomingMessage): Promise<Operator | null> {
  const token = /^Bearer ([A-Za-z0-9._~+/-]{16,256}=*)$/i.exec(request.headers.authorization ?? '')?.[1];
  return token === undefined ? null : admin.recognise(token);
}

function parseTarget(request: IncomingMessage): URL {
  const target = request.url ?? '';
  if (!target.startsWith('/') || !URL.canParse(`http://admin${target}`)) {
    throw new SallyportError('malformed', 'the request names no path');
  }
  return new URL(`http://admin${target}`);
}

async function parseBody(request: IncomingMessage, limit: number): Promise<Record<string, unknown>> {
  const type = request.headers['content-type'];
  if (type !== undefined && !/^application\/json(?:\s*;|$)/i.test(type)) {
    throw new SallyportError('unsupported', 'the body is to be application/json');
  }
  return parseJsonObject(await readBody(request, limit));
}
