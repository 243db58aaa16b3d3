import { SallyportError } from '#errors';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Admin } from '../admin.ts';
import { problem, sendProblem } from './problem.ts';

/** The log's prefix, as on the public listener. */
const prefix = '/log/';
const compress = promisify(gzip);

export function isBelowLog({ url }: IncomingMessage): boolean {
  return url?.startsWith(prefix) === true;
}

/**
 * C2SP tlog-tiles. The path is taken as it came, with nothing decoded, resolved or cut off: each resource has one. What is immutable may be kept
 * by the client alone, since it holds personal data.
 */
export async function answerLogDocument(
  admin: Pick<Admin, 'logDocument'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const headers = { allow: 'GET, HEAD', connection: 'close' };
    sendProblem(response, problem('usage', 'the log is only read here', 405), headers);
    return;
  }
  const document = await admin.logDocument(request.url?.slice(prefix.length) ?? '');
  if (document === null) {
    throw new SallyportError(
      'not-found',
      'the log has no such tile, or none yet under its signed checkpoint',
    );
  }
  // "Entry bundles SHOULD be compressed at the HTTP layer"; hashes do not become smaller.
  const compressed = request.url?.startsWith(`${prefix}tile/entries/`) === true && takesGzip(request);
  const body = compressed ? await compress(document.body) : document.body;
  response.writeHead(200, {
    'content-type': document.contentType,
    'content-length': body.length,
    'cache-control': document.immutable ? 'private, max-age=31536000, immutable' : 'no-store',
    vary: 'accept-encoding',
    ...(compressed ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function takesGzip({ headers }: IncomingMessage): boolean {
  const offered = (headers['accept-encoding'] ?? '').split(',');
  return offered.some((coding) => /^\s*gzip\s*(?:;\s*q=(?:1(?:\.0*)?|0\.\d*[1-9]\d*)\s*)?$/i.test(coding));
}
