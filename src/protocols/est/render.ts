import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { certsOnly } from '#cms';
import type { Der } from '#x509';
import { encodeBody } from './base64-body.ts';
import type { EstAnswer } from './handler.ts';
import { certsOnlyType, keyParts } from './key-parts.ts';
import { problemOfRefusal, statusOf } from './problems.ts';
import { nonceBody, nonceMediaType } from './nonce.ts';
import { type EstTarget, methods } from './target.ts';

/**
 * An answer in EST's words. Every error names the support code, by which operators find the entry. Bouncy Castle 1.72, which sends no
 * User-Agent, fails where it leaves a body unread: those of 202, and of the 401 that makes it send its credentials.
 */
export function render(
  response: ServerResponse,
  answer: EstAnswer,
  target: EstTarget | null,
  headersOfRequest: IncomingHttpHeaders,
): void {
  const userAgent = headersOfRequest['user-agent'];
  const asksFirst = userAgent === undefined && headersOfRequest.authorization === undefined;
  switch (answer.outcome) {
    case 'answered':
      return certificates(response, answer.certificates, userAgent);
    case 'csrattrs':
      return send(
        response,
        200,
        base64Headers('application/csrattrs'),
        encodeBody(answer.attributes, userAgent),
      );
    case 'key': {
      const { type, body } = keyParts(answer, userAgent);
      return send(response, 200, { 'Content-Type': type }, body);
    }
    case 'nonce':
      return send(
        response,
        200,
        { 'Content-Type': nonceMediaType, 'Cache-Control': 'no-store' },
        nonceBody(answer),
      );
    case 'issued':
    case 'redelivered':
      // Only the issued certificate: RFC 7030 section 4.2.3.
      return certificates(response, [answer.certificate], userAgent);
    case 'held': {
      const retry = { 'Retry-After': String(answer.retryAfterSeconds) };
      if (userAgent === undefined) return send(response, 202, retry, '');
      const words = `The request waits for approval. Ask again with the same request. Support code ${answer.id}.`;
      return text(response, 202, retry, words);
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
      const status = statusOf(answer.error);
      return text(
        response,
        status,
        status === 401 ? { ...allow, ...challenge } : allow,
        `${answer.error.message}. Support code ${answer.id}.`,
      );
    }
    case 'refused': {
      const problem = problemOfRefusal(answer);
      const headers: Record<string, string> = {};
      if (problem.status === 401) {
        Object.assign(headers, challenge);
        // The first of two requests of a client that waits to be asked: it has nothing to read.
        if (asksFirst) return send(response, 401, headers, '');
      }
      if (problem.status === 429 || problem.status === 503) {
        headers['Retry-After'] = String(answer.retryAfterSeconds);
      }
      // Each further attempt costs a handshake, and not only us: every refusal is an entry of the log.
      if (problem.status === 429) headers['Connection'] = 'close';
      return text(response, problem.status, headers, `${problem.words} Support code ${answer.id}.`);
    }
  }
}

const challenge = { 'WWW-Authenticate': 'Basic realm="Sallyport"' };

function certificates(response: ServerResponse, list: readonly Der[], userAgent: string | undefined): void {
  send(response, 200, base64Headers(certsOnlyType), encodeBody(certsOnly(list), userAgent));
}

function base64Headers(type: string): Record<string, string> {
  // Always sent, since older clients demand it; never asked for (RFC 8951 section 3.1).
  return { 'Content-Type': type, 'Content-Transfer-Encoding': 'base64' };
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
