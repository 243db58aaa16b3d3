import type { ServerResponse } from 'node:http';
import type { ScepAnswer } from './handler.ts';
import { problemOfRefusal, ScepError } from './problems.ts';

/** An answer in the words of HTTP: documents, CertReps, and what no CertRep can say. Every error names the support code. */
export function render(response: ServerResponse, answer: ScepAnswer): void {
  switch (answer.outcome) {
    case 'document':
      return send(response, 200, { 'Content-Type': answer.type }, answer.body);
    case 'malformed': {
      const { error, id } = answer;
      const status = error instanceof ScepError ? error.status : error.code === 'too-large' ? 413 : 400;
      return text(response, status, {}, `${error.message}. Support code ${id}.`);
    }
    case 'refused': {
      const { words } = problemOfRefusal(answer);
      const isRate = answer.objections.some(({ control }) => control === 'rate-source');
      const headers = { 'Retry-After': String(answer.retryAfterSeconds), Connection: 'close' };
      return text(response, isRate ? 429 : 403, isRate ? headers : {}, `${words} Support code ${answer.id}.`);
    }
    case 'failed': {
      const headers = { 'Retry-After': String(answer.retryAfterSeconds) };
      const words = `The request could not be handled now. Try again later. Support code ${answer.id}.`;
      return text(response, 503, headers, words);
    }
    case 'issued':
    case 'redelivered':
    case 'held':
      throw new Error(`${answer.outcome} is said by a CertRep`);
  }
}

function text(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  words: string,
): void {
  const type = { 'Content-Type': 'text/plain; charset=utf-8' };
  send(response, status, { ...type, ...headers }, Buffer.from(`${words}\n`));
}

/** Header names keep their case, and header and body leave in one piece: clients read HTTP by hand. */
function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Uint8Array,
): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(body.length) });
  response.end(body);
}
