/** RFC 8555 section 6.7, without the prefix. */
export type ValidationProblem =
  | 'connection'
  | 'dns'
  | 'tls'
  /** HTTP, with another status than 200. */
  | 'unauthorized'
  /** An answer that is not what the challenge asks for. */
  | 'incorrectResponse'
  | 'caa'
  | 'rejectedIdentifier';

export interface Failure {
  readonly problem: ValidationProblem;
  /** For the client and the log. Never holds what the other side answered: who has us ask must not read by us. */
  readonly detail: string;
  /** Asking again later may help, without that anybody changes anything but the DNS. */
  readonly transient: boolean;
}

export type ValidationOutcome =
  /** `addresses`: what was connected to, in order, failed attempts included; for the log alone. */
  | { readonly valid: true; readonly addresses: readonly string[] }
  | (Failure & { readonly valid: false; readonly addresses: readonly string[] });

/** Asking again may help. */
export function failsForNow(problem: ValidationProblem, detail: string): Failure {
  return { problem, detail, transient: true };
}

export function fails(problem: ValidationProblem, detail: string): Failure {
  return { problem, detail, transient: false };
}

export function isFailure(found: object): found is Failure {
  return 'problem' in found;
}
