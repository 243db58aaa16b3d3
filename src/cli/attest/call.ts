import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { SallyportError } from '#errors';

export interface Call {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Tls {
  /** PEM of whom the client trusts; of who it is. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  /** Makes the connection instead. */
  readonly connect?: (url: URL) => Duplex;
  /** Ends the call. */
  readonly interruption: AbortSignal;
}

const longestReply = 1024 * 1024;
const patienceMilliseconds = 60_000;

/** Throws 'store' where nobody answers that is trusted. */
export async function call(
  url: string,
  { connect, interruption, ...tls }: Tls,
  { method = 'GET', headers = {}, body = '' }: Call = {},
): Promise<Reply> {
  const options = {
    ...tls,
    ...(connect === undefined ? { agent: false } : { createConnection: () => connect(new URL(url)) }),
    method,
    headers: {
      'User-Agent': 'sallyport',
      Connection: 'close',
      'Content-Length': String(Buffer.byteLength(body)),
      ...headers,
    },
    signal: AbortSignal.any([interruption, AbortSignal.timeout(patienceMilliseconds)]),
  };
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(
        new SallyportError('store', `${new URL(url).origin} does not answer: ${cause.message}`, { cause }),
      );
    const request = (url.startsWith('https:') ? https : http).request(url, options, (response) => {
      const parts: Buffer[] = [];
      let length = 0;
      response.on('data', (part: Buffer) => {
        length += part.length;
        if (length > longestReply) response.destroy(new Error('it answers without end'));
        else parts.push(part);
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
      response.once('error', fail);
    });
    request.once('error', fail);
    request.end(body);
  });
}

/** When to ask again; null: this is the answer. */
export function retryAfterSeconds({ status, headers }: Reply): number | null {
  return [202, 429, 503].includes(status) ? Number(headers['retry-after']) || 60 : null;
}

/** 'forbidden' where it was refused, 'store' where somebody else may be at fault. */
export function refusal({ status, body }: Reply): SallyportError {
  const words = body.toString('utf8', 0, 400).trim();
  return new SallyportError(
    status < 500 ? 'forbidden' : 'store',
    `the server refused it (${status}): ${words === '' ? 'it says no more' : words}`,
  );
}
