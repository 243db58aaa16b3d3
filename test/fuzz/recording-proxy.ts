import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { connect, createServer, type SecureContextOptions } from 'node:tls';
import type { AuthorityFiles, Cleanup } from '../harness/authority.ts';

/** Between a real client and a listener, with the listener's own certificate: keeps what clients send, as it comes out of TLS. */
export class RecordingProxy {
  readonly host: string;
  /** What the client proves, to be proven again behind the proxy. */
  client: Pick<SecureContextOptions, 'cert' | 'key'> = {};
  readonly #connections: Buffer[][] = [];

  private constructor(host: string) {
    this.host = host;
  }

  static async open(cleanup: Cleanup, files: AuthorityFiles, listener: string): Promise<RecordingProxy> {
    const read = (name: string) => readFile(path.join(files.directory, name), 'utf8');
    const server = createServer({
      cert: await read('pki/listener.pem'),
      key: await read('keys/listener.key.pem'),
      passphrase: (await read('secrets/passphrase')).trim(),
      minVersion: 'TLSv1.2',
      requestCert: true,
      rejectUnauthorized: false,
    });
    cleanup.after(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new RecordingProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    const trust = await read('pki/trust.pem');
    const { hostname, port } = new URL(listener);
    server.on('secureConnection', (socket) => {
      const received: Buffer[] = [];
      proxy.#connections.push(received);
      socket.on('data', (part: Buffer) => received.push(part));
      const upstream = connect({ host: hostname, port: Number(port), ca: trust, ...proxy.client });
      // Either side may break off; what was sent until then has been kept.
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    return proxy;
  }

  /** What came since the last time, a connection each, without those that said nothing. */
  take(): Buffer[] {
    return this.#connections
      .splice(0)
      .map((parts) => Buffer.concat(parts))
      .filter(({ length }) => length > 0);
  }
}
