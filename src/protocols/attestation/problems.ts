import { SallyportError } from '#errors';
import type { Answer } from '#enrollment';

export type Status = 400 | 403 | 404 | 405 | 413 | 429;

/** A request that is none of these: its sender is told so by the status. */
export class RequestError extends SallyportError {
  readonly status: Status;

  constructor(status: Status, words: string) {
    super('malformed', words);
    this.status = status;
  }
}

export function statusOf(error: SallyportError): Status {
  if (error instanceof RequestError) return error.status;
  return error.code === 'too-large' ? 413 : 400;
}

const limits = ['rate-source', 'rate-device', 'rate-template'];

/** Nobody learns which check failed, or that a device is known: there is no credential but what is checked. */
export function statusOfRefusal({ objections }: Extract<Answer, { outcome: 'refused' }>): 403 | 429 {
  return objections.every(({ control }) => limits.includes(control)) ? 429 : 403;
}
