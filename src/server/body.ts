import type { IncomingMessage, ServerResponse } from 'node:http';
import { SallyportError } from '#errors';

/**
 * Reads a request's body, at most `maximumBytes` of it. Throws 'too-large' (what is left of it is for nobody), 'malformed' when the peer breaks
 * off.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maximumBytes: number,
): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maximumBytes) throw tooLarge(maximumBytes);
  // RFC 9110 section 10.1.1: 100 (Continue) says that the body is wanted.
  const awaited = /^100-continue$/i.test(request.headers.expect ?? '');
  if (awaited && request.httpVersion === '1.1') response.writeContinue();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const broken = (cause?: Error) => {
      if (request.complete) return;
      reject(new SallyportError('malformed', 'the request broke off before its end', { cause }));
    };
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > maximumBytes) {
        parts.length = 0;
        reject(tooLarge(maximumBytes));
      } else {
        parts.push(part);
      }
    });
    request.on('end', () => resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts)));
    request.on('error', broken);
    request.on('close', broken);
  });
}

function tooLarge(maximumBytes: number): SallyportError {
  return new SallyportError('too-large', `the body is longer than ${maximumBytes} bytes`);
}
