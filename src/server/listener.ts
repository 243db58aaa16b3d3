import { constants, type KeyObject, X509Certificate } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { SallyportError } from '#errors';
import { type Certificate, parseCertificate, pemToDer } from '#x509';
import { type Connection, connectionOf } from './connection.ts';
import { closeLingering } from './lingering-close.ts';
import { sourceCap } from './source-cap.ts';
import { Turns } from './turns.ts';

/** A protocol's side of a listener. Never throws: it renders its own errors. */
export type Handler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  connection: Connection,
) => Promise<void>;

export interface ListenerSettings {
  readonly name: string;
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** null: plain HTTP, for public documents only. */
  readonly tls: TlsSettings | null;
  /** One source has a quarter of them at most. */
  readonly maximumConnections: number;
  readonly requestTimeoutSeconds: number;
  readonly maximumHeaderBytes: number;
  /** `required`: the connection of who sends none ends before any request is read. Whose it is, the handler judges. Default `asked`. */
  readonly clientCertificates?: 'asked' | 'required';
  readonly handler: Handler;
  /** A fault that no handler saw. */
  readonly report: (error: unknown) => void;
}

export interface TlsSettings {
  /** PEM, the listener's certificate first. */
  readonly certificate: string;
  /** Opened once: deriving the key of an encrypted file takes the serving thread tens of milliseconds each time. */
  readonly key: KeyObject;
  readonly minimum: 'TLSv1.2' | 'TLSv1.3';
  /** PEM of the CAs that clients are told we know. Decides nothing: paths are validated by the layers. */
  readonly clientCas: readonly string[];
}

export interface RunningListener {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The certificate in force; null: it has no TLS. */
  readonly certificate: () => Pick<Certificate, 'notBefore' | 'notAfter'> | null;
  /**
   * Checks a new certificate and key, and returns what puts them in force: new handshakes use them, connections that stand go on.
   * @throws SallyportError 'config' where they cannot be used
   */
  prepareTls(tls: TlsSettings): () => void;
  /** Stops accepting, lets requests under way end, and cuts what is left after a grace period. */
  close(): Promise<void>;
}

const closingGraceMilliseconds = 5_000;

export async function startListener(settings: ListenerSettings): Promise<RunningListener> {
  const options: http.ServerOptions = {
    maxHeaderSize: settings.maximumHeaderBytes,
    requestTimeout: settings.requestTimeoutSeconds * 1000,
    headersTimeout: Math.min(settings.requestTimeoutSeconds, 10) * 1000,
    keepAliveTimeout: 5_000,
    // Several Content-Length or a Transfer-Encoding beside one are refused by the strict parser; never loosen it.
    insecureHTTPParser: false,
  };
  const server =
    settings.tls === null
      ? http.createServer(options)
      : https.createServer({ ...options, ...tlsServerOptions(settings.name, settings.tls) });
  let certificate = settings.tls === null ? null : certificateOf(settings.tls);
  server.maxConnections = settings.maximumConnections;
  const mayStay = sourceCap(settings.maximumConnections, settings.report);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (!mayStay(socket)) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const standing = new WeakMap<Socket, { connection: Connection; turns: Turns }>();
  server.on(settings.tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    const connection = connectionOf(socket, settings.name);
    if (
      connection === null ||
      (settings.clientCertificates === 'required' && !hasClientCertificate(socket))
    ) {
      socket.destroy();
      return;
    }
    const turns = new Turns(socket);
    closeLingering(socket, () => turns.request);
    standing.set(socket, { connection, turns });
  });
  const answer = async (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    connection: Connection,
  ) => {
    try {
      await settings.handler(request, response, connection);
      // Who takes nothing of the answer is cut off as who sends nothing of the request is.
      if (!response.writableFinished) response.setTimeout(options.requestTimeout!);
    } catch (error) {
      settings.report(error);
      response.destroy();
    }
  };
  const begin = (request: http.IncomingMessage, response: http.ServerResponse) => {
    // A peer that was gone before the connection stood has none.
    const stands = standing.get(request.socket);
    stands?.turns.take(response, () => void answer(request, response, stands.connection));
  };
  server.on('request', begin);
  // 100 (Continue) is sent by who reads the body, and not before.
  server.on('checkContinue', begin);
  // RFC 9110 section 10.1.1: an unknown expectation MAY be answered 417. Node.js would do so by itself, and no layer would have seen the request.
  server.on('checkExpectation', begin);
  server.on('clientError', (_error, socket: Socket) => {
    const end = () => {
      if (socket.writable) {
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      } else socket.destroy();
    };
    // Whoever sent a request and then something else is given the answer to the request.
    const stands = standing.get(socket);
    if (stands === undefined) end();
    else stands.turns.endWith(end);
  });
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  return {
    name: settings.name,
    address: settings.address,
    port,
    certificate: () => certificate,
    prepareTls(tls) {
      const context = checkedContext(settings.name, tls);
      return () => {
        if (server instanceof https.Server) server.setSecureContext(context);
        certificate = certificateOf(tls);
      };
    },
    async close() {
      const cut = setTimeout(() => sockets.forEach((socket) => socket.destroy()), closingGraceMilliseconds);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(cut);
    },
  };
}

function certificateOf({ certificate }: TlsSettings): Certificate {
  return parseCertificate(pemToDer(certificate, 'CERTIFICATE')[0]!);
}

function hasClientCertificate(socket: Socket): boolean {
  return socket instanceof TLSSocket && socket.getPeerX509Certificate() !== undefined;
}

async function listen(server: Server, { name, address, port }: ListenerSettings): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new SallyportError(
          'config',
          `listener ${name} cannot listen on ${address}:${port}: ${cause.code ?? cause.message}${cause.code === 'EADDRINUSE' ? '; another program has this port, end it or configure another port' : ''}`,
          { cause },
        ),
      ),
    );
    server.listen({ host: address, port }, resolve);
  });
}

function checkedContext(name: string, tls: TlsSettings): SecureContextOptions {
  const context = tlsContext(tls);
  try {
    createSecureContext(context);
    // Node.js takes an empty certificate for none, and would then refuse every handshake.
    const certificate = new X509Certificate(tls.certificate);
    if (!certificate.checkPrivateKey(tls.key)) throw new Error('they do not belong together');
  } catch (cause) {
    throw new SallyportError(
      'config',
      `listener ${name} cannot use its certificate and key: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  return context;
}

function tlsContext(tls: TlsSettings): SecureContextOptions {
  return {
    cert: tls.certificate,
    key: tls.key.export({ type: 'pkcs8', format: 'pem' }),
    ca: [...tls.clientCas],
    minVersion: tls.minimum,
    // Below 1.3 only AEAD with forward secrecy; 1.3 has nothing else.
    ciphers: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ].join(':'),
    ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
    // A resumed session remembers only the leaf of what the client proved: no resumption (docs/conformance, RFC 7030 section 3.3).
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function tlsServerOptions(name: string, tls: TlsSettings): https.ServerOptions {
  return {
    ...checkedContext(name, tls),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: 10_000,
    requestCert: true,
    // An unknown client certificate must reach the layers, which refuse it and write that down.
    rejectUnauthorized: false,
  };
}
