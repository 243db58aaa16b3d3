import assert from 'node:assert/strict';
import { createHash, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Challenge, ValidationOutcome, ValidationSettings } from '#validation';
import {
  assembleSigned,
  buildName,
  type Der,
  der,
  derToPem,
  encodeName,
  encodeSubjectAltName,
  encodeTbsCertificate,
  type Extension,
  extensionOids,
  type GeneralName,
} from '#x509';
import type { Cleanup } from './authority.ts';
import { type ClientKey, makeKey } from './csr.ts';
import { DnsServer } from './dns-server.ts';

export const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
export const keyAuthorization = `${token}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI`;
export const challengePath = `/.well-known/acme-challenge/${token}`;

export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function challengeFor(
  type: Challenge['type'],
  value: string,
  changes: Partial<Challenge> = {},
): Challenge {
  return { type, identifier: { type: 'dns', value }, wildcard: false, token, keyAuthorization, ...changes };
}

export function settingsFor(
  dns: DnsServer | null,
  changes: Partial<ValidationSettings> = {},
): ValidationSettings {
  return {
    networks: ['127.0.0.0/8', '::1/128'],
    resolvers: dns === null ? ['127.0.0.1:9'] : [dns.resolver],
    httpPort: 9,
    tlsPort: 9,
    caa: null,
    perspectives: [],
    timeoutMilliseconds: 10_000,
    ...changes,
  };
}

/** What nobody outside may read through us: it is in what servers answer here, and never in what is said of it. */
export const canary = 'canary-of-the-internal-network';

export type Refusal = Extract<ValidationOutcome, { valid: false }>;

export async function refused(outcome: Promise<ValidationOutcome>): Promise<Refusal> {
  const found = await outcome;
  assert.ok(!found.valid, 'it was taken for valid');
  assert.ok(!found.detail.includes(canary), found.detail);
  return found;
}

/** A resolver that ends with the suite. */
export async function dnsServer(cleanup: Cleanup): Promise<DnsServer> {
  const dns = await DnsServer.start();
  cleanup.after(() => dns.stop());
  return dns;
}

export interface Listening {
  readonly port: number;
  /** Where each connection came from. */
  readonly connections: string[];
}

/** On loopback, until the suite ends. */
export async function listening(
  cleanup: Cleanup,
  server: Server,
  { address = '127.0.0.1', port = 0 } = {},
): Promise<Listening> {
  const open = new Set<Socket>();
  const connections: string[] = [];
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    connections.push(socket.remoteAddress ?? '');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  server.listen(port, address);
  await once(server, 'listening');
  cleanup.after(async () => {
    for (const socket of open) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export function httpServer(
  cleanup: Cleanup,
  handler: Handler,
  place: { address?: string; port?: number } = {},
): Promise<Listening> {
  return listening(cleanup, createServer(handler), place);
}

export function httpsServer(
  cleanup: Cleanup,
  { certificate, key }: Presented,
  handler: Handler,
): Promise<Listening> {
  const pem = {
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: derToPem(certificate, 'CERTIFICATE'),
  };
  return listening(cleanup, createHttpsServer(pem, handler));
}

/** Answers the challenge, and nothing else. */
export const provesControl: Handler = ({ url }, response) => {
  response.statusCode = url === challengePath ? 200 : 404;
  response.end(url === challengePath ? keyAuthorization : '');
};

export interface Presented {
  readonly certificate: Der;
  readonly key: KeyObject;
}

export interface CertificateChanges {
  readonly names?: readonly GeneralName[];
  readonly issuer?: string;
  /** null: without. */
  readonly acmeIdentifier?: Extension | null;
  readonly brokenSignature?: boolean;
  readonly notAfter?: number;
}

/** RFC 8737 section 3. */
export function challengeCertificate(name: GeneralName, changes: CertificateChanges = {}): Presented {
  const key: ClientKey = makeKey();
  const {
    names = [name],
    issuer = 'challenge',
    acmeIdentifier = acmeIdentifierOf(keyAuthorization),
  } = changes;
  const tbs = encodeTbsCertificate({
    serialNumber: '01',
    signatureAlgorithm: key.algorithm,
    issuer: encodeName(buildName([{ type: 'commonName', value: issuer }])),
    subject: buildName([{ type: 'commonName', value: 'challenge' }]),
    notBefore: Date.UTC(2020, 0),
    notAfter: changes.notAfter ?? Date.UTC(2040, 0),
    spki: key.spki,
    extensions: [
      ...(names.length === 0
        ? []
        : [{ oid: extensionOids.subjectAltName, critical: false, value: encodeSubjectAltName(names) }]),
      ...(acmeIdentifier === null ? [] : [acmeIdentifier]),
    ],
  });
  const signed = changes.brokenSignature === true ? Buffer.from('something else') : tbs;
  return {
    certificate: assembleSigned(tbs, key.algorithm, sign('sha256', signed, key.privateKey)),
    key: key.privateKey,
  };
}

export function acmeIdentifierOf(text: string, critical = true): Extension {
  return { oid: '1.3.6.1.5.5.7.1.31', critical, value: der.octetString(digestOf(text)) };
}

export interface TlsListening extends Listening {
  /** What SNI said. */
  readonly serverNames: (string | false | undefined)[];
  /** All that clients offered in ALPN. */
  readonly offered: string[][];
  /** What came over the connections that were made, until they were closed. */
  readonly ended: string[];
}

export async function tlsServer(
  cleanup: Cleanup,
  { certificate, key }: Presented,
  { protocol = 'acme-tls/1', ...options }: TlsOptions & { readonly protocol?: string | null } = {},
): Promise<TlsListening> {
  const offered: string[][] = [];
  const serverNames: (string | false | undefined)[] = [];
  const ended: string[] = [];
  const server = createTlsServer({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: derToPem(certificate, 'CERTIFICATE'),
    // undefined ends the handshake with the alert no_application_protocol.
    ...(protocol === null
      ? {}
      : {
          ALPNCallback: ({ protocols, servername }: { protocols: string[]; servername: string }) => {
            offered.push(protocols);
            serverNames.push(servername);
            return protocols.includes(protocol) ? protocol : undefined;
          },
        }),
    ...options,
  });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => {
    let read = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (part: Buffer) => (read += part.toString('latin1')));
    socket.on('close', () => ended.push(read));
  });
  return { ...(await listening(cleanup, server)), offered, serverNames, ended };
}
