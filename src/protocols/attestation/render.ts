import type { ServerResponse } from 'node:http';
import { type ActivationAnswer, anyTimeSeconds, type Authority, path } from '#enrollment';
import { SallyportError } from '#errors';
import { type Der, equalBytes } from '#x509';
import { encodeChain, encodeChallenge } from './messages.ts';
import { statusOf, statusOfRefusal } from './problems.ts';

const refused = 'This TPM is not accepted here.';

/** step looks at the status alone; the words are for who reads along. Every error names the support code, by which operators find the entry. */
export function render(response: ServerResponse, answer: ActivationAnswer, authority: Authority): void {
  switch (answer.outcome) {
    case 'challenge':
      return json(response, encodeChallenge(answer.credential));
    case 'issued':
    case 'redelivered':
      return json(response, encodeChain([answer.certificate, ...above(answer.summary.issuer, authority)]));
    case 'rejected':
      return answer.isPassing ? later(response, answer.id) : text(response, 403, {}, refused, answer.id);
    case 'refused': {
      if (answer.isPassing) return later(response, answer.id, answer.retryAfterSeconds);
      const status = statusOfRefusal(answer);
      if (status === 403) return text(response, status, {}, refused, answer.id);
      const headers = { 'Retry-After': String(answer.retryAfterSeconds), Connection: 'close' };
      return text(response, status, headers, 'Too many requests. Try again later.', answer.id);
    }
    // A certificate is what the second message is answered with: whoever asks again begins anew.
    case 'held': {
      const headers = { 'Retry-After': String(answer.retryAfterSeconds) };
      return text(response, 503, headers, 'The request waits for approval. Ask again.', answer.id);
    }
    case 'failed': {
      const headers = { 'Retry-After': String(answer.retryAfterSeconds) };
      return text(
        response,
        503,
        headers,
        'The request could not be handled now. Try again later.',
        answer.id,
      );
    }
    case 'malformed': {
      const status = statusOf(answer.error);
      const headers = status === 405 ? { Allow: 'POST' } : {};
      return text(response, status, headers, `${answer.error.message}.`, answer.id);
    }
  }
}

/** The TPM has nothing wrong, and whoever asks again begins anew. */
function later(response: ServerResponse, id: string, seconds = anyTimeSeconds): void {
  const headers = { 'Retry-After': String(seconds) };
  text(response, 503, headers, 'The request could not be decided now. Try again later.', id);
}

/** Up to the root, which whoever believes the certificate has. */
function above(name: string, { issuers }: Authority): readonly Der[] {
  const inForce = issuers.get(name);
  if (inForce === undefined) throw new SallyportError('internal', `issuer ${name} is not in force any more`);
  return path(inForce.issuer)
    .filter(({ subjectDer, issuerDer }) => !equalBytes(subjectDer, issuerDer))
    .map(({ der }) => der);
}

function json(response: ServerResponse, body: string): void {
  send(response, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }, body);
}

function text(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  words: string,
  id: string,
): void {
  const type = { 'Content-Type': 'text/plain; charset=utf-8' };
  send(response, status, { ...type, ...headers }, `${words} Support code ${id}.\n`);
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  response.end(body);
}
