import { request, type RequestOptions } from 'node:https';
import { SallyportError } from '#errors';

export interface HttpsQuestion {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent with GET. */
  readonly body?: string;
}

export interface HttpsAnswer {
  readonly status: number;
  /** As it came. */
  readonly bytes: Uint8Array;
  /** Of JSON; undefined: it is none. */
  readonly body: unknown;
}

/** Rejects with SallyportError 'store', whose message names no secret, where there was no whole answer in time. */
export type HttpsCall = (question: HttpsQuestion) => Promise<HttpsAnswer>;

export interface CallSettings {
  readonly timeoutMilliseconds: number;
  /** PEM; null: what Node.js trusts. */
  readonly ca: string | null;
  /** By which the other side knows us, PEM; null: it asks for no certificate. */
  readonly client: ClientIdentity | null;
}

export interface ClientIdentity {
  /** Its own first, then those above it. */
  readonly certificates: string;
  /** PKCS#8. */
  readonly key: string;
}

const maximumAnswerBytes = 65_536;
/** Strangers can make us ask: no more than so many at once wait for the other side. */
const maximumUnderWay = 32;

/** Follows no redirect, and goes to no address but the one that it is given, through no proxy. A connection serves one call. */
export function httpsCalls({ timeoutMilliseconds, ca, client }: CallSettings): HttpsCall {
  let underWay = 0;
  return async (question) => {
    if (underWay >= maximumUnderWay) throw unavailable(`${maximumUnderWay} calls are under way already`);
    underWay += 1;
    try {
      return await call(question, {
        agent: false,
        // Whatever the environment says.
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        signal: AbortSignal.timeout(timeoutMilliseconds),
        ...(ca === null ? {} : { ca }),
        ...(client === null ? {} : { cert: client.certificates, key: client.key }),
      });
    } finally {
      underWay -= 1;
    }
  };
}

function call({ method, url, headers, body }: HttpsQuestion, options: RequestOptions): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const asking = request(url, { ...options, method, headers: { ...headers, ...length } });
    const fail = (cause: unknown) => reject(unavailable(reasonOf(cause), cause));
    asking.on('error', fail);
    asking.on('response', (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > maximumAnswerBytes) response.destroy(unavailable('its answer is too long'));
        else parts.push(part);
      });
      response.on('error', fail);
      response.on('end', () => {
        const answered = Buffer.concat(parts);
        resolve({ status: response.statusCode ?? 0, bytes: answered, body: parsed(answered) });
      });
    });
    asking.end(body);
  });
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The code alone: messages of TLS and of the resolver hold what the other side says. */
function reasonOf(cause: unknown): string {
  if (cause instanceof SallyportError) return cause.message;
  if (!(cause instanceof Error)) return 'failed';
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return 'no answer in time';
  return 'code' in cause ? String(cause.code) : cause.name;
}

function unavailable(words: string, cause?: unknown): SallyportError {
  return new SallyportError('store', words, { cause });
}
