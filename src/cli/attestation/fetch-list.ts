import { request } from 'node:https';
import { isSallyportError, SallyportError } from '#errors';
import { errorCode } from '../files.ts';

/** What `parseStatusList` reads at most. */
const maximumBytes = 16 * 1024 * 1024;

export interface Source {
  readonly url: string;
  /** PEM of whom the client trusts instead; null: what Node.js trusts. */
  readonly ca: string | null;
  readonly timeoutMilliseconds: number;
}

/** Follows no redirect: what it is sent to, nobody has configured. Throws 'store' where there is no whole answer in time. */
export async function fetchList({ url, ca, timeoutMilliseconds }: Source): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new SallyportError('store', `${url}: ${reasonOf(cause)}; nothing was changed`, { cause }));
    const asking = request(url, {
      agent: false,
      // Whatever the environment says.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      headers: { accept: 'application/json', 'cache-control': 'no-cache', 'user-agent': 'sallyport' },
      signal: AbortSignal.timeout(timeoutMilliseconds),
      ...(ca === null ? {} : { ca }),
    });
    asking.on('error', fail);
    asking.on('response', (response) => {
      if (response.statusCode !== 200) {
        const words = `it answers ${response.statusCode}, and no redirect is followed`;
        asking.destroy(new SallyportError('store', words));
        return;
      }
      const parts: Buffer[] = [];
      let length = 0;
      response.on('data', (part: Buffer) => {
        length += part.length;
        if (length > maximumBytes) response.destroy(tooLong());
        else parts.push(part);
      });
      response.on('error', fail);
      response.on('end', () => resolve(new Uint8Array(Buffer.concat(parts))));
    });
    asking.end();
  });
}

function tooLong(): SallyportError {
  return new SallyportError('store', 'its answer is longer than 16 MiB');
}

/** The code alone: messages of TLS and of the resolver hold what the other side says. */
function reasonOf(cause: unknown): string {
  if (isSallyportError(cause)) return cause.message;
  const isLate = cause instanceof Error && ['TimeoutError', 'AbortError'].includes(cause.name);
  if (isLate) return 'no answer in time';
  return errorCode(cause);
}
