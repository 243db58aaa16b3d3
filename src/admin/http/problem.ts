import type { ErrorCode } from '#errors';
import { STATUS_CODES, type ServerResponse } from 'node:http';

/** RFC 9457. `code` is ours, from the closed list of errors: a client decides by it. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

export const statusOf = {
  malformed: 400,
  unsupported: 415,
  'too-large': 413,
  'bad-signature': 400,
  usage: 400,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  config: 500,
  policy: 500,
  key: 500,
  lint: 500,
  mandate: 500,
  log: 500,
  internal: 500,
  store: 503,
} as const satisfies Record<ErrorCode, number>;

export function problem(code: ErrorCode, detail: string, status: number = statusOf[code]): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code };
}

export function sendProblem(
  response: ServerResponse,
  body: Problem,
  headers: Record<string, string> = {},
): void {
  response.writeHead(body.status, { 'content-type': 'application/problem+json', ...headers });
  response.end(JSON.stringify(body));
}
