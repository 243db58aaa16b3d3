import type { IncomingMessage, ServerResponse } from 'node:http';
import { certsOnly } from '#cms';
import {
  type Admission,
  type Answer,
  type Authority,
  named,
  observeManagement,
  path,
  type SentCertificate,
  type SourceObservation,
} from '#enrollment';
import { isSallyportError, type SallyportError } from '#errors';
import { capabilities } from './capabilities.ts';
import { nextCaCertificates } from './next-ca.ts';
import { pkiOperation, type PkiOperationPorts } from './pki-operation.ts';
import { ScepError } from './problems.ts';
import type { RaInForce } from './ra.ts';
import { render } from './render.ts';
import { decodeGetMessage, parseTarget, type ScepTarget } from './target.ts';

export interface ScepPorts extends PkiOperationPorts {
  /** By the name of its issuer; null: it has none. */
  readonly ra: (issuer: string) => RaInForce | null;
  /** Reads a body of at most the listener's size; throws 'too-large'. */
  readonly readBody: (request: IncomingMessage, response: ServerResponse) => Promise<Uint8Array>;
}

/** The connection, as the server knows it. */
export interface ScepConnection {
  readonly listener: string;
  readonly address: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  /** What the TLS handshake proved; throws 'malformed' where the connection has ended. */
  readonly clientCertificate: () => SentCertificate | null;
}

/** What SCEP answers with, besides Answers in the words of HTTP. */
export interface ScepDocument {
  readonly outcome: 'document';
  readonly type: string;
  readonly body: Uint8Array;
}

export type ScepAnswer = Answer | ScepDocument;

/** SCEP, RFC 8894: wire to EnrollmentRequest and back. */
export function scepHandler(ports: ScepPorts) {
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    connection: ScepConnection,
  ): Promise<void> => {
    const target = targetOf(request);
    const source = sourceOf(target, connection, ports.authority());
    const admission = await ports.enrollment.admit(source);
    const answer = 'outcome' in admission ? admission : await serve(ports, response, target, admission);
    // What was not read of the body is not read as the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    render(response, answer);
  };
}

function targetOf({ method = '', url = '' }: IncomingMessage): ScepTarget | SallyportError {
  try {
    return parseTarget(method, url);
  } catch (error) {
    if (isSallyportError(error)) return error;
    throw error;
  }
}

async function serve(
  ports: ScepPorts,
  response: ServerResponse,
  target: ScepTarget | SallyportError,
  admission: Admission,
): Promise<ScepAnswer> {
  const { enrollment } = ports;
  try {
    if (isSallyportError(target)) throw new ScepError(400, target.message);
    const { template, issuer, next, ra, caCertificates } = servedBy(admission.source, ports);
    switch (target.operation) {
      case 'GetCACaps':
        return await document(
          ports,
          admission,
          'text/plain',
          capabilities({ legacyAlgorithms: template.legacyAlgorithms, nextAuthority: next !== null }),
        );
      case 'GetCACert': {
        const above = caCertificates === 'path' ? path(issuer) : [issuer.certificate];
        const [newest] = ra.certificates();
        const all = certsOnly([newest!, ...above].map(({ der }) => der));
        return await document(ports, admission, 'application/x-x509-ca-ra-cert', all);
      }
      case 'PKIOperation': {
        const message = await messageOf(target, response, ports);
        const answer = await pkiOperation(message, admission, ra, ports);
        if ('outcome' in answer) return answer;
        return { outcome: 'document', type: 'application/x-pki-message', body: answer };
      }
      case 'GetNextCACert':
        if (next === null) throw new ScepError(501, 'GetNextCACert is not offered here');
        return await document(
          ports,
          admission,
          'application/x-x509-next-ca-cert',
          await nextCaCertificates(next, issuer, ra, ports.now()),
        );
      case null:
        throw new ScepError(400, 'this is no operation of SCEP');
    }
  } catch (error) {
    const isClients = error instanceof ScepError || isSallyportError(error, 'malformed', 'too-large');
    return isClients ? enrollment.malformed(admission, error) : enrollment.failed(admission, error);
  }
}

/** What anybody may read. */
async function document(
  { enrollment }: ScepPorts,
  admission: Admission,
  type: string,
  body: Uint8Array,
): Promise<ScepAnswer> {
  return (await enrollment.answered(admission)) ?? { outcome: 'document', type, body };
}

async function messageOf(
  { message }: ScepTarget,
  response: ServerResponse,
  ports: ScepPorts,
): Promise<Uint8Array> {
  const { req: request } = response;
  if (request.method === 'POST') return ports.readBody(request, response);
  if (request.method !== 'GET') throw new ScepError(405, 'PKIOperation takes GET or POST');
  if (message === null) throw new ScepError(400, 'the query holds no message');
  return decodeGetMessage(message);
}

/** Of the template that the address means. */
function servedBy(source: SourceObservation, { authority, ra: raOf }: ScepPorts) {
  const { references, issuers } = authority();
  const template = named(references.templates, source.template);
  const inForce = template === undefined ? undefined : issuers.get(template.issuer);
  const ra = inForce === undefined ? null : raOf(inForce.issuer.name);
  const served = named(references.listeners, source.listener)?.protocols.scep;
  if (template === undefined || inForce === undefined || ra === null || served === undefined) {
    throw new ScepError(404, 'there is no such address here');
  }
  const { issuer, next } = inForce;
  return { template, issuer, next, ra, caCertificates: served.caCertificates };
}

function sourceOf(
  target: ScepTarget | SallyportError,
  { listener, address, tls, clientCertificate }: ScepConnection,
  authority: Authority,
): SourceObservation {
  const { references } = authority;
  const served = named(references.listeners, listener)?.protocols.scep;
  const { operation, label } = isSallyportError(target) ? { operation: null, label: null } : target;
  const isTemplate = label !== null && served?.templates.includes(label) === true;
  const template = isTemplate ? label : (served?.defaultTemplate ?? null);
  const management = observeManagement(listener, clientCertificate, authority);
  return {
    listener,
    protocol: 'scep',
    operation: operation ?? 'unknown',
    template,
    address,
    tls,
    ...management,
  };
}
