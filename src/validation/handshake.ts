import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

export interface HandshakeOptions {
  /** None for an address: RFC 6066 section 3 has none in SNI. */
  readonly serverName: string | null;
  readonly protocol: string;
}

/** The code of what failed where it did not come to its end. */
export function handshake(
  socket: Socket,
  { serverName, protocol }: HandshakeOptions,
): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const secured = connect({
      socket,
      ALPNProtocols: [protocol],
      minVersion: 'TLSv1.2',
      // Nobody is authenticated by a certificate here: what is proven is the control of an address. Section 4 of RFC 8737 "does not use the authentication method described
      // in [RFC5280]", and a redirect to https is followed to who has no certificate yet.
      rejectUnauthorized: false,
      ...(serverName === null ? {} : { servername: serverName }),
    });
    secured.once('secureConnect', () => resolve(secured));
    secured.on('error', (error) => {
      resolve('code' in error ? String(error.code) : error.name);
      secured.destroy();
    });
    secured.once('close', () => resolve('ECONNRESET'));
  });
}
