import { SallyportError } from '#errors';
import type { IncomingMessage } from 'node:http';

/** The whole body, cut at the limit: what is beyond is never kept. Throws 'too-large'; the connection is to be closed then. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const tooLarge = () => {
      request.pause();
      request.removeAllListeners('data');
      reject(new SallyportError('too-large', `the body has more than ${limit} octets`));
    };
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      tooLarge();
      return;
    }
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) tooLarge();
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => reject(new SallyportError('malformed', 'the request was cut off')));
    request.once('close', () => reject(new SallyportError('malformed', 'the request was cut off')));
  });
}

/** A JSON object, in UTF-8; no body is the empty object. */
export function parseJsonObject(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new SallyportError('malformed', 'the body is no JSON in UTF-8', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SallyportError('malformed', 'the body is no JSON object');
  }
  return value as Record<string, unknown>;
}

export function parseQuery(query: URLSearchParams): Record<string, unknown> {
  const entries = [...query];
  const given = Object.fromEntries(entries);
  if (Object.keys(given).length !== entries.length) {
    throw new SallyportError('usage', 'a name is in the query twice');
  }
  return given;
}
