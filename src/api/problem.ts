import { statusOf } from '#admin';
import type { SallyportError } from '#errors';
import { STATUS_CODES } from 'node:http';
import type { Refusal } from './call.ts';

/** RFC 9457. A client decides by `status`, or by `code`; `entry` is where an operator finds why. */
export interface ApiProblem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: (typeof codeOf)[keyof typeof codeOf];
  readonly entry: string;
}

export const codeOf = {
  200: 'refused',
  400: 'malformed',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method',
  409: 'conflict',
  413: 'too-large',
  415: 'unsupported',
  429: 'too-many-requests',
  500: 'internal',
  503: 'unavailable',
} as const;

export function apiProblem(status: keyof typeof codeOf, detail: string, entry: string): ApiProblem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code: codeOf[status],
    entry,
  };
}

/** What an act objected with, where that is for the machine to know; null: a fault of ours. */
export function refusalOf({ code, message }: SallyportError): Refusal | null {
  const status = statusOf[code];
  if (status === 500 || status === 503) return null;
  const reason = status === 400 || status === 413 || status === 415 ? 'request' : 'act';
  return { reason, status, words: message };
}
