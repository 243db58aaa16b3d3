import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** What a listener knows of the connection that a request came by. */
export interface Connection {
  readonly listener: string;
  /** The peer's address, as text; v4 addresses in v4 form. */
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  /**
   * The client certificate, DER: the handshake proved that the peer holds its key. Its path is not validated; `authorized` of the socket is
   * never read, since it depends on what else the peer sent.
   */
  readonly clientCertificate: Uint8Array | null;
}

export function connectionOf(request: IncomingMessage, listener: string): Connection {
  const { socket } = request;
  const address = plainAddress(socket.remoteAddress ?? '');
  if (!(socket instanceof TLSSocket)) return { listener, address, tls: null, clientCertificate: null };
  return {
    listener,
    address,
    tls: { version: socket.getProtocol() ?? '', cipher: socket.getCipher().standardName },
    clientCertificate: socket.getPeerX509Certificate()?.raw ?? null,
  };
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
