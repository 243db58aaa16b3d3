import type { TLSSocket } from 'node:tls';
import { parseCertsOnly } from '#cms';
import { derToPem } from '#x509';
import { privateKeyPem } from './csr.ts';
import { base64, type EstAnswer, type EstRequest } from './est-client.ts';
import { RawConnection } from './raw-connection.ts';

/** What a client can say of its connection. */
export interface ConnectionBindings {
  /** The client's Finished: tls-unique on TLS 1.2 (RFC 5929 section 3), and no binding on TLS 1.3 (RFC 9266). */
  readonly finished: Buffer;
  readonly peerFinished: Buffer;
  /** tls-exporter of TLS 1.3 (RFC 9266 section 4). */
  readonly exporter: Buffer;
}

export interface TlsExchange extends Pick<EstRequest, 'url' | 'trust' | 'user' | 'client' | 'headers'> {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** Without it those that Node.js offers. */
  readonly ciphers?: string;
  /** The request, DER, once the handshake is over. */
  readonly csr: (bindings: ConnectionBindings) => Uint8Array;
}

/** An EST request on a connection of its own, made when the connection stands: with its channel binding, say. */
export async function exchangeOnTls(request: TlsExchange): Promise<EstAnswer> {
  const { url, trust, user, client, version, ciphers, headers = {} } = request;
  const connection = await RawConnection.open({
    url,
    trust,
    tls: {
      minVersion: version,
      maxVersion: version,
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(client === undefined
        ? {}
        : { cert: derToPem(client.certificate, 'CERTIFICATE'), key: privateKeyPem(client.key) }),
    },
  });
  try {
    const body = base64(request.csr(bindingsOf(connection.socket as TLSSocket)));
    const { host, pathname } = new URL(url);
    const lines = {
      Host: host,
      'Content-Type': 'application/pkcs10',
      'Content-Length': String(body.length),
      ...(user === undefined ? {} : { Authorization: `Basic ${base64(Buffer.from(user.join(':')))}` }),
      ...headers,
    };
    const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
    connection.write(`POST ${pathname} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    const answer = await connection.answer();
    if (answer === null) throw new Error('the connection ended without an answer');
    const fields = Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const isCertificates = fields['content-type']?.startsWith('application/pkcs7-mime') ?? false;
    return {
      status: answer.status,
      headers: fields,
      rawHeaders: answer.headers.flat(),
      text: answer.body,
      certificates: isCertificates ? parseCertsOnly(Buffer.from(answer.body, 'base64')) : [],
    };
  } finally {
    connection.close();
  }
}

function bindingsOf(socket: TLSSocket): ConnectionBindings {
  return {
    finished: socket.getFinished()!,
    peerFinished: socket.getPeerFinished()!,
    exporter: socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  };
}
