import type { ServerResponse } from 'node:http';
import type { AcmeError } from './problems.ts';
import type { Reply } from './ports.ts';

/** `nonce`: RFC 8555 section 6.5 wants one in every answer to a POST. `index`: the directory (section 7.1). */
export function render(
  response: ServerResponse,
  { status, headers = {}, links = [], body }: Reply,
  nonce: string | null,
  { index, withBody }: { index: string | null; withBody: boolean },
): void {
  const { type, text } =
    body === null
      ? { type: null, text: '' }
      : 'text' in body && 'type' in body
        ? body
        : { type: 'application/json', text: JSON.stringify(body) };
  const all = [...links, ...(index === null ? [] : [{ url: index, rel: 'index' }])];
  send(response, status, withBody ? text : '', {
    ...(type === null ? {} : { 'Content-Type': type }),
    ...(nonce === null ? {} : { 'Replay-Nonce': nonce, 'Cache-Control': 'no-store' }),
    ...(all.length === 0 ? {} : { Link: all.map(({ url, rel }) => `<${url}>;rel="${rel}"`) }),
    ...headers,
  });
}

/** RFC 8555 section 6.7: problem documents, with the support code by which operators find the entry. */
export function renderProblem(
  response: ServerResponse,
  { document, status, headers }: AcmeError,
  supportCode: string | null,
  nonce: string,
  index: string,
): void {
  const detail = supportCode === null ? document.detail : `${document.detail} (support code ${supportCode})`;
  send(response, status, JSON.stringify({ ...document, detail }), {
    'Content-Type': 'application/problem+json',
    'Replay-Nonce': nonce,
    'Cache-Control': 'no-store',
    Link: [`<${index}>;rel="index"`],
    ...headers,
  });
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
): void {
  const length = status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(text)) };
  response.writeHead(status, { ...(headers as Record<string, string | string[]>), ...length });
  response.end(text);
}
