import type { ServerResponse } from 'node:http';
import { certsOnly } from '#cms';
import type { Answer } from '#enrollment';
import type { Der } from '#x509';
import { encodeBody } from './base64-body.ts';
import type { CaCertificates } from './ca-certificates.ts';
import { problemOfRefusal, statusOf } from './problems.ts';
import { type EstTarget, methods } from './target.ts';

/** An answer in EST's words. Every error names the support code, by which operators find the entry. */
export function render(
  response: ServerResponse,
  answer: Answer | CaCertificates,
  target: EstTarget | null,
  userAgent: string | undefined,
): void {
  switch (answer.outcome) {
    case 'answered':
      return certificates(response, answer.certificates, userAgent);
    case 'issued':
    case 'redelivered':
      // Only the issued certificate: RFC 7030 section 4.2.3.
      return certificates(response, [answer.certificate], userAgent);
    case 'held': {
      const words = `The request waits for approval. Ask again with the same request. Support code ${answer.id}.`;
      return text(response, 202, { 'Retry-After': String(answer.retryAfterSeconds) }, words);
    }
    case 'failed': {
      const words = `The request could not be handled now. Try again later. Support code ${answer.id}.`;
      return text(response, 503, { 'Retry-After': String(answer.retryAfterSeconds) }, words);
    }
    case 'malformed': {
      const allow =
        target !== null && target.operation in methods
          ? { Allow: methods[target.operation as keyof typeof methods] }
          : {};
      return text(
        response,
        statusOf(answer.error),
        allow,
        `${answer.error.message}. Support code ${answer.id}.`,
      );
    }
    case 'refused': {
      const problem = problemOfRefusal(answer);
      const headers: Record<string, string> = {};
      if (problem.status === 401) headers['WWW-Authenticate'] = 'Basic realm="Sallyport"';
      if (problem.status === 429) {
        headers['Retry-After'] = String(answer.retryAfterSeconds ?? 60);
        // Each further attempt costs a handshake, and not only us: every refusal is an entry of the log.
        headers['Connection'] = 'close';
      }
      return text(response, problem.status, headers, `${problem.words} Support code ${answer.id}.`);
    }
  }
}

function certificates(response: ServerResponse, list: readonly Der[], userAgent: string | undefined): void {
  const headers = {
    'Content-Type': 'application/pkcs7-mime; smime-type=certs-only',
    // Always sent, since older clients demand it; never asked for (RFC 8951 section 3.1).
    'Content-Transfer-Encoding': 'base64',
  };
  send(response, 200, headers, encodeBody(certsOnly(list), userAgent));
}

function text(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  words: string,
): void {
  send(response, status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, `${words}\n`);
}

/** Header names keep their case, and header and body leave in one piece: strongSwan and libest read HTTP by hand. */
function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  response.end(body);
}
