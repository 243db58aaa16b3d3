import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Admission,
  type Answer,
  type Authority,
  type Credential,
  type Enrollment,
  named,
  type SourceObservation,
} from '#enrollment';
import { isSallyportError } from '#errors';
import { decodeBody } from './base64-body.ts';
import { parseBasicCredential } from './basic-credential.ts';
import { type CaCertificates, caCertificates } from './ca-certificates.ts';
import { EstError } from './problems.ts';
import { render } from './render.ts';
import { type EstTarget, methods, parseTarget, type ServedOperation } from './target.ts';

export interface EstPorts {
  readonly enrollment: Enrollment;
  readonly authority: () => Authority;
  /** Reads a body of at most the listener's size; throws 'too-large'. */
  readonly readBody: (request: IncomingMessage) => Promise<Buffer>;
}

/** The connection, as the server knows it. */
export interface EstConnection {
  readonly listener: string;
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  readonly clientCertificate: Uint8Array | null;
}

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
      'outcome' in admission ? admission : await serve(ports, request, target, connection, admission);
    // What was not read of the body is not read as the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    render(response, answer, target, request.headers['user-agent']);
  };
}

async function serve(
  ports: EstPorts,
  request: IncomingMessage,
  target: EstTarget | null,
  connection: EstConnection,
  admission: Admission,
): Promise<Answer | CaCertificates> {
  try {
    const operation = servedOperation(target);
    if (request.method !== methods[operation]) {
      throw new EstError(405, `${operation} takes ${methods[operation]}`);
    }
    if (operation === 'cacerts') return await answerCaCertificates(ports, admission);
    const type = request.headers['content-type'] ?? '';
    if (!/^application\/pkcs10 *(;|$)/i.test(type)) {
      throw new EstError(415, 'the Content-Type of a certification request is application/pkcs10');
    }
    const credential = credentialOf(operation, request, connection);
    const certificationRequest = decodeBody(await ports.readBody(request));
    return await ports.enrollment.enroll({ admission, credential, certificationRequest });
  } catch (error) {
    if (isSallyportError(error)) return ports.enrollment.malformed(admission, error);
    throw error;
  }
}

async function answerCaCertificates(ports: EstPorts, admission: Admission): Promise<Answer | CaCertificates> {
  const found = caCertificates(admission.source, ports.authority());
  if (found === null) throw new EstError(404, 'there is no such label here');
  return (await ports.enrollment.answered(admission)) ?? found;
}

function servedOperation(target: EstTarget | null): ServedOperation {
  if (target === null) throw new EstError(404, 'this is no EST address');
  if (target.operation in methods) return target.operation as ServedOperation;
  throw new EstError(404, `${target.operation} is not offered`);
}

/** One credential counts: for a renewal the client certificate, for an enrollment the secret where one is sent. */
function credentialOf(
  operation: ServedOperation,
  request: IncomingMessage,
  connection: EstConnection,
): Credential | null {
  const secret = operation === 'simpleenroll' ? parseBasicCredential(request.headers.authorization) : null;
  if (secret !== null) return secret;
  if (connection.clientCertificate === null) return null;
  return { kind: 'certificate', certificate: connection.clientCertificate };
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
