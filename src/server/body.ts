import type { IncomingMessage } from 'node:http';
import { SallyportError } from '#errors';

/** Reads a request's body, at most `maximumBytes` of it. Throws 'too-large' (the rest is not read), 'malformed' when the peer breaks off. */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maximumBytes) throw tooLarge(maximumBytes);
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
        request.pause();
        reject(tooLarge(maximumBytes));
      } else {
        parts.push(part);
      }
    });
    request.on('end', () => resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts, size)));
    request.on('error', broken);
    request.on('close', broken);
  });
}

function tooLarge(maximumBytes: number): SallyportError {
  return new SallyportError('too-large', `the body is longer than ${maximumBytes} bytes`);
}
