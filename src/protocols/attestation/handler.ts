import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ActivationAnswer,
  type Activations,
  type Admission,
  type Authority,
  type Enrollment,
  named,
  type SourceObservation,
} from '#enrollment';
import { isSallyportError } from '#errors';
import { parseAttest, parseSecret } from './messages.ts';
import { RequestError } from './problems.ts';
import { render } from './render.ts';
import { type AttestationTarget, parseTarget } from './target.ts';

export interface AttestationPorts {
  readonly enrollment: Enrollment;
  readonly activations: Activations;
  readonly authority: () => Authority;
  /** Reads a body of at most the listener's size; throws 'too-large'. */
  readonly readBody: (request: IncomingMessage, response: ServerResponse) => Promise<Buffer>;
}

type Connection = Pick<SourceObservation, 'listener' | 'address' | 'tls'>;

/** Certificates of attestation keys, in the messages of step's clients. There is no credential but the TPM. */
export function attestationHandler(ports: AttestationPorts) {
  return async (
    request: IncomingMessage,
    response: ServerResponse,
    { listener, address, tls }: Connection,
  ): Promise<void> => {
    const target = parseTarget(request.url ?? '');
    const admission = await ports.enrollment.admit({
      listener,
      protocol: 'attestation',
      operation: target?.operation ?? 'unknown',
      template: target?.template ?? null,
      address,
      tls,
    });
    const answer =
      'outcome' in admission ? admission : await serve(ports, response, target, listener, admission);
    // What was not read of the body is not read as the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    render(response, answer, ports.authority());
  };
}

async function serve(
  ports: AttestationPorts,
  response: ServerResponse,
  target: AttestationTarget | null,
  listener: string,
  admission: Admission,
): Promise<ActivationAnswer> {
  const { enrollment, activations, authority } = ports;
  const request = response.req;
  try {
    const served = named(authority().references.listeners, listener)?.protocols.attestation?.templates;
    if (target === null || served?.includes(target.template) !== true) {
      throw new RequestError(404, 'there is nothing at this address');
    }
    const { operation, template } = target;
    if (request.method !== 'POST') throw new RequestError(405, `${operation} takes POST`);
    const body = await ports.readBody(request, response);
    return operation === 'attest'
      ? await activations.challenge(admission, template, parseAttest(body))
      : await activations.activated(admission, template, parseSecret(body));
  } catch (error) {
    return isSallyportError(error, 'malformed', 'too-large')
      ? enrollment.malformed(admission, error)
      : enrollment.failed(admission, error);
  }
}
