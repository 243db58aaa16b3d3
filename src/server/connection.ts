import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SallyportError } from '#errors';

/** What a listener knows of the connection that a request came by. It goes on to know it when the peer has gone. */
export interface Connection {
  readonly listener: string;
  /** The peer's address, as text; v4 addresses in v4 form. */
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  /**
   * null: the client sent none. Read when it is asked for, once.
   * @throws SallyportError 'malformed' when the connection has ended
   */
  readonly clientCertificate: () => ClientCertificate | null;
  /**
   * What binds a request to this connection.
   * @throws SallyportError 'malformed' when the connection has ended
   */
  readonly channelBindings: () => {
    /** RFC 5929 section 3: the client's Finished, on TLS 1.2, where nothing is resumed. */
    readonly tlsUnique: Uint8Array | null;
    /** RFC 9266 section 4, on TLS 1.3. */
    readonly tlsExporter: Uint8Array | null;
    /** Both sides' Finished of TLS 1.3. */
    readonly finished: readonly Uint8Array[];
  };
}

/**
 * A client certificate, DER: the handshake proved that the peer holds its key. Its path is not validated; `authorized` of the socket is never
 * read, since it depends on what else the peer sent.
 */
export interface ClientCertificate {
  readonly certificate: Uint8Array;
  /** What the client sent beside it, in its order, at most 16. */
  readonly sent: readonly Uint8Array[];
}

/** Once for each connection, when it stands: a peer that resets it takes all of this away. null when it has done so already. */
export function connectionOf(socket: Socket, listener: string): Connection | null {
  if (socket.remoteAddress === undefined) return null;
  const address = plainAddress(socket.remoteAddress);
  if (!(socket instanceof TLSSocket)) {
    const none = { tlsUnique: null, tlsExporter: null, finished: [] };
    return { listener, address, tls: null, clientCertificate: () => null, channelBindings: () => none };
  }
  let client: ClientCertificate | null | undefined;
  return {
    listener,
    address,
    tls: { version: socket.getProtocol() ?? '', cipher: socket.getCipher().standardName },
    clientCertificate: () => (client === undefined ? (client = clientCertificateOf(socket)) : client),
    channelBindings: () => channelBindingsOf(socket),
  };
}

const mostSent = 16;

/**
 * Node.js copies all that the client sent: 30 microseconds for each certificate, and OpenSSL reads up to 100 KiB of them, a bound that Node.js
 * lets nobody change. So it is done for who was admitted and has nothing else to show. `getPeerCertificate` takes several times as long.
 */
function clientCertificateOf(socket: TLSSocket): ClientCertificate | null {
  demandStanding(socket);
  const own = socket.getPeerX509Certificate();
  if (own === undefined) return null;
  const sent: Uint8Array[] = [];
  for (let each = own.issuerCertificate; each !== undefined && sent.length < mostSent;) {
    sent.push(each.raw);
    each = each.issuerCertificate;
  }
  return { certificate: own.raw, sent };
}

/** RFC 9266 section 4. */
const exporterLabel = 'EXPORTER-Channel-Binding';
const exporterBytes = 32;

function channelBindingsOf(socket: TLSSocket): ReturnType<Connection['channelBindings']> {
  demandStanding(socket);
  // The TLS 1.2 of Node.js does not say whether the extended master secret was negotiated, without which the exporter binds nothing there.
  switch (socket.getProtocol()) {
    case 'TLSv1.2':
      return { tlsUnique: socket.getPeerFinished() ?? null, tlsExporter: null, finished: [] };
    case 'TLSv1.3':
      return {
        tlsUnique: null,
        tlsExporter: socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.alloc(0)),
        finished: [socket.getPeerFinished(), socket.getFinished()].filter((each) => each !== undefined),
      };
    default:
      return { tlsUnique: null, tlsExporter: null, finished: [] };
  }
}

function demandStanding(socket: TLSSocket): void {
  if (socket.destroyed) throw new SallyportError('malformed', 'the connection broke off before the answer');
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
