import { request } from 'node:http';
import type { Duplex } from 'node:stream';

export interface HttpQuestion {
  /** Of a connection that serves this question alone. */
  readonly socket: Duplex;
  /** The Host field. */
  readonly host: string;
  readonly path: string;
  readonly maximumBodyBytes: number;
}

export type HttpAnswer =
  /** `body` is empty unless the status is 200: no other is read. */
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly location: string | null;
      readonly body: Buffer;
    }
  | { readonly kind: 'long-head' | 'long-body' | 'broken' };

const maximumHeadBytes = 8_192;

/** Through no proxy and with nobody's cookies: with a socket of ours there is no agent. */
export function get({ socket, host, path, maximumBodyBytes }: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve) => {
    const asking = request({
      createConnection: () => socket,
      method: 'GET',
      path,
      setHost: false,
      headers: {
        host,
        'user-agent': 'Sallyport',
        accept: '*/*',
        'accept-encoding': 'identity',
        connection: 'close',
      },
      maxHeaderSize: maximumHeadBytes,
      // Whatever the command line says.
      insecureHTTPParser: false,
    });
    const end = (answer: HttpAnswer) => {
      resolve(answer);
      socket.destroy();
    };
    asking.on('error', (error) =>
      end({ kind: 'code' in error && error.code === 'HPE_HEADER_OVERFLOW' ? 'long-head' : 'broken' }),
    );
    asking.on('close', () => end({ kind: 'broken' }));
    asking.on('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      const parts: Buffer[] = [];
      const whole = () =>
        end({ kind: 'whole', status, location: headers.location ?? null, body: Buffer.concat(parts) });
      response.on('error', () => end({ kind: 'broken' }));
      if (status !== 200) {
        whole();
        return;
      }
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > maximumBodyBytes) end({ kind: 'long-body' });
      });
      response.on('end', whole);
    });
    asking.end();
  });
}
