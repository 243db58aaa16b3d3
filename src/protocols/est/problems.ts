import type { Answer } from '#enrollment';
import { type ErrorCode, SallyportError } from '#errors';

/** How a refusal is said to the client: enough to act on, and nothing of why a secret or certificate failed. */
export interface Problem {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 501 | 503;
  readonly words: string;
}

const unauthorized: Problem = { status: 401, words: 'These credentials do not authorize this request.' };
const forbidden: Problem = { status: 403, words: 'This request is not allowed.' };
const evidence: Problem = { status: 403, words: 'The evidence of this key is not accepted here.' };
const notHere: Problem = { status: 403, words: 'This request is not allowed from here.' };
const renewal: Problem = { status: 403, words: 'The client certificate does not authorize this renewal.' };
const identity: Problem = {
  status: 403,
  words: 'The client certificate does not authorize this enrollment.',
};
const tooMany: Problem = { status: 429, words: 'Too many requests. Try again later.' };
const notNow: Problem = {
  status: 503,
  words: 'The request could not be decided now. Try again later.',
};
const otherRequest = (what: string): Problem => ({
  status: 400,
  words: `The certification request ${what}.`,
});

/** By the control that objects, the first in this order deciding: a wrong secret learns nothing of what else was wrong. */
export const problemsByControl: readonly (readonly [control: string, problem: Problem])[] = [
  ['segment-listener-class', notHere],
  ['segment-protocol', notHere],
  ['segment-tls-floor', notHere],
  ['segment-source', notHere],
  ['segment-management', notHere],
  ['segment-template', { status: 404, words: 'There is no such label here.' }],
  ['template-known', { status: 404, words: 'There is no such label here.' }],
  ['rate-source', tooMany],
  ['authentication', unauthorized],
  ['secret-known', unauthorized],
  ['secret-not-void', unauthorized],
  ['secret-unexpired', unauthorized],
  ['secret-unused', unauthorized],
  ['secret-template', unauthorized],
  ['secret-request', unauthorized],
  ['secret-device', unauthorized],
  ['challenge-known', unauthorized],
  ['challenge-limit', tooMany],
  ['identity-known', unauthorized],
  ['identity-current', identity],
  ['identity-purpose', identity],
  ['identity-template', identity],
  ['identity-device', identity],
  ['renewal-issued-here', renewal],
  ['renewal-known', renewal],
  ['renewal-end-entity', renewal],
  ['renewal-unexpired', renewal],
  ['renewal-unrevoked', renewal],
  ['renewal-template', renewal],
  ['denied', { status: 403, words: 'An operator has denied this request.' }],
  ['device-known', forbidden],
  ['device-state', forbidden],
  ['segment-class', notHere],
  ['template-class', forbidden],
  ['template-names', forbidden],
  ['attestation-sound', evidence],
  ['attestation-trusted', evidence],
  ['attestation-key', evidence],
  ['attestation-device', evidence],
  // Of evidence that does not hold in itself nothing is true: another nonce would not mend it.
  [
    'attestation-fresh',
    { status: 403, words: 'The evidence is not fresh: ask for a nonce and attest again.' },
  ],
  ['attestation-unused', evidence],
  [
    'attestation',
    { status: 403, words: 'This device must attest its key, and the request holds no evidence.' },
  ],
  ['rate-device', tooMany],
  ['rate-template', tooMany],
  ['account-valid', forbidden],
  ['account-template', forbidden],
  ['account-order', forbidden],
  ['account-names', forbidden],
  ['account-count', forbidden],
  ['account-authorized', forbidden],
  ['workflow-agreed', forbidden],
  [
    'key-origin',
    { status: 403, words: 'No keys are made here for this label: make one, and use simpleenroll.' },
  ],
  ['binding-matches', otherRequest('holds the channel binding of another TLS connection')],
  [
    'binding-present',
    otherRequest('must hold the channel binding of its TLS connection as challengePassword'),
  ],
  ['key-algorithm', otherRequest('has a key of a type that is not allowed here')],
  ['key-strength', otherRequest('has a weak key: make a new one')],
  ['key-unshared', otherRequest('has a key that cannot be used here: make a new one')],
  ['request-possession', otherRequest('is not signed with its own key')],
  [
    'renewal-names',
    otherRequest('names another subject or other subject alternative names than the certificate it renews'),
  ],
  ['renewal-key', otherRequest('has a key that is not allowed for this renewal')],
  ['request-subject', otherRequest('asks for a subject that this device does not get')],
  [
    'request-subject-alt-name',
    otherRequest('asks for subject alternative names that this device does not get'),
  ],
  ['request-usage', otherRequest('asks for a key usage or extended key usage that is not given here')],
  ['request-end-entity', otherRequest('asks to be a certification authority')],
  ['request-no-sid', otherRequest('asks for a security identifier')],
  ['request-extensions', otherRequest('asks for an extension that is not given here')],
];

/** The problem of a refusal. A control that is not in the table, an operator's own for one, is simply not allowed. */
export function problemOfRefusal({
  objections,
  isPassing,
}: Extract<Answer, { outcome: 'refused' }>): Problem {
  if (isPassing) return notNow;
  const objecting = new Set(objections.map(({ control }) => control));
  return problemsByControl.find(([control]) => objecting.has(control))?.[1] ?? forbidden;
}

/** A request that is no EST: its sender is told so by the status. */
export class EstError extends SallyportError {
  readonly status: Problem['status'];

  constructor(status: Problem['status'], words: string) {
    super('malformed', words);
    this.status = status;
  }
}

export function statusOf(error: SallyportError): Problem['status'] {
  return error instanceof EstError ? error.status : statusByErrorCode[error.code];
}

const statusByErrorCode = {
  malformed: 400,
  unsupported: 400,
  'too-large': 413,
  'bad-signature': 400,
  'not-found': 404,
  config: 500,
  policy: 500,
  key: 500,
  lint: 500,
  mandate: 500,
  store: 503,
  conflict: 503,
  forbidden: 403,
  log: 500,
  usage: 400,
  internal: 500,
} as const;
statusByErrorCode satisfies Record<ErrorCode, Problem['status']>;
