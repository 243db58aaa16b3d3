import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Admission,
  type Answer,
  type Authority,
  type ChannelBindings,
  type Credential,
  type Enrollment,
  named,
  type SourceObservation,
} from '#enrollment';
import { isSallyportError } from '#errors';
import { decodeBody } from './base64-body.ts';
import { parseBasicCredential } from './basic-credential.ts';
import { type CaCertificates, caCertificates } from './ca-certificates.ts';
import { type CsrAttributes, csrAttributes } from './csr-attributes.ts';
import { deliverKey, type KeyDelivery, keyEnvelope, type KeyEnvelopePorts } from './key-delivery.ts';
import { type NonceAnswer, nonceRequest } from './nonce.ts';
import { EstError, statusOf } from './problems.ts';
import { render } from './render.ts';
import { type EstTarget, methods, parseTarget, type ServedOperation } from './target.ts';

export interface EstPorts extends KeyEnvelopePorts {
  readonly enrollment: Enrollment;
  readonly authority: () => Authority;
  /** Reads a body of at most the listener's size; throws 'too-large'. */
  readonly readBody: (request: IncomingMessage, response: ServerResponse) => Promise<Buffer>;
}

/** The connection, as the server knows it. */
export interface EstConnection {
  readonly listener: string;
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  /** With what the client sent beside it. Costs more than admission does. */
  readonly clientCertificate: () => {
    readonly certificate: Uint8Array;
    readonly sent: readonly Uint8Array[];
  } | null;
  readonly channelBindings: () => ChannelBindings;
}

/** All that EST answers with. */
export type EstAnswer = Answer | CaCertificates | CsrAttributes | KeyDelivery | NonceAnswer;

/** EST, RFC 7030 with RFC 8951: wire to EnrollmentRequest and back. */
export function estHandler(ports: EstPorts) {
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    connection: EstConnection,
  ): Promise<void> => {
    const target = parseTarget(request.url ?? '');
    const source = sourceOf(target, connection, ports.authority());
    const admission = await ports.enrollment.admit(source);
    const answer =
      'outcome' in admission ? admission : await serve(ports, response, target, connection, admission);
    // What was not read of the body is not read as the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    render(response, answer, target, request.headers);
  };
}

async function serve(
  ports: EstPorts,
  response: ServerResponse,
  target: EstTarget | null,
  connection: EstConnection,
  admission: Admission,
): Promise<EstAnswer> {
  const request = response.req;
  try {
    const operation = servedOperation(target);
    if (!methods[operation].split(', ').includes(request.method ?? '')) {
      throw new EstError(405, `${operation} takes ${methods[operation]}`);
    }
    if (operation === 'cacerts') return await answerDocument(ports, admission, caCertificates);
    if (operation === 'csrattrs') return await answerDocument(ports, admission, csrAttributes);
    if (operation === 'nonce') return await nonce(ports, admission, connection, response);
    const type = request.headers['content-type'] ?? '';
    if (!/^application\/pkcs10 *(;|$)/i.test(type)) {
      throw new EstError(415, 'the Content-Type of a certification request is application/pkcs10');
    }
    const credential = credentialOf(operation, request, connection);
    const certificationRequest = decodeBody(await ports.readBody(request, response));
    const { channelBindings, clientCertificate } = connection;
    const keygen = operation === 'serverkeygen';
    const makesKey = keygen && makesKeys(admission.source, ports.authority());
    const envelope = makesKey ? keyEnvelope(certificationRequest, clientCertificate, ports) : null;
    const answer = await ports.enrollment.enroll({
      admission,
      credential,
      certificationRequest,
      keygen,
      channelBindings,
    });
    return envelope === null ? answer : await deliverKey(answer, envelope);
  } catch (error) {
    const isClients = isSallyportError(error) && (error instanceof EstError || statusOf(error) < 500);
    return isClients
      ? ports.enrollment.malformed(admission, error)
      : ports.enrollment.failed(admission, error);
  }
}

/** draft-ietf-lamps-attestation-freshness section 5. */
async function nonce(
  ports: EstPorts,
  admission: Admission,
  connection: EstConnection,
  response: ServerResponse,
): Promise<EstAnswer> {
  const request = response.req;
  const credential = credentialOf('nonce', request, connection);
  if (credential?.kind !== 'secret' && credential?.kind !== 'certificate') {
    throw new EstError(401, 'a nonce is given to who presents a secret or a certificate');
  }
  const body = request.method === 'POST' ? await ports.readBody(request, response) : null;
  const { length, asked } = nonceRequest(body, request.headers['content-type'] ?? '');
  const given = await ports.enrollment.giveNonce(admission, credential, length);
  return given.outcome === 'nonce' ? { ...given, asked } : given;
}

/** Where the template makes no keys, there is none to prepare for: enrollment refuses the request. */
function makesKeys({ template }: SourceObservation, { references }: Authority): boolean {
  return (named(references.templates, template)?.serverKeygen ?? null) !== null;
}

/** What anybody may read: no credential is asked for (RFC 7030 sections 4.1.2 and 4.5.1). */
async function answerDocument<Document extends object>(
  ports: EstPorts,
  admission: Admission,
  find: (source: SourceObservation, authority: Authority) => Document | null,
): Promise<Answer | Document> {
  const found = find(admission.source, ports.authority());
  if (found === null) throw new EstError(404, 'there is no such label here');
  return (await ports.enrollment.answered(admission)) ?? found;
}

function servedOperation(target: EstTarget | null): ServedOperation {
  if (target === null) throw new EstError(404, 'this is no EST address');
  if (target.operation in methods) return target.operation as ServedOperation;
  // RFC 7030 section 4.3: the one operation of the RFC that is not offered.
  throw new EstError(501, `${target.operation} is not offered`);
}

/** One credential counts: for a renewal the client certificate, for an enrollment the secret where one is sent. */
function credentialOf(
  operation: ServedOperation,
  request: IncomingMessage,
  connection: EstConnection,
): Credential | null {
  const secret = operation === 'simplereenroll' ? null : parseBasicCredential(request.headers.authorization);
  if (secret !== null) return secret;
  const client = connection.clientCertificate();
  return client === null ? null : { kind: 'certificate', ...client };
}

function sourceOf(
  target: EstTarget | null,
  connection: EstConnection,
  authority: Authority,
): SourceObservation {
  const { listener, address, tls } = connection;
  const defaultTemplate =
    named(authority.references.listeners, listener)?.protocols.est?.defaultTemplate ?? null;
  const template =
    target === null ? null : (target.label ?? (target.operation === 'cacerts' ? null : defaultTemplate));
  return { listener, protocol: 'est', operation: target?.operation ?? 'unknown', template, address, tls };
}
