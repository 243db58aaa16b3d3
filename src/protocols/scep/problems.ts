import type { Answer } from '#enrollment';
import { SallyportError } from '#errors';
import type { FailInfo } from './cert-rep.ts';

/** How a refusal is said to the client: enough to act on, and nothing of why a secret or certificate failed. */
export interface Problem {
  readonly failInfo: FailInfo;
  readonly words: string;
}

const bad = (words: string): Problem => ({ failInfo: 'badRequest', words });
const unauthorized = bad('This challengePassword does not authorize this request.');
const forbidden = bad('This request is not allowed.');
const evidence = bad('The evidence of this key is not accepted here.');
const notHere = bad('This request is not allowed from here.');
const tooMany = bad('Too many requests. Try again later.');
/** RFC 8894 has no word for it but this one: PENDING would promise that somebody decides. */
const notNow = bad('The request could not be decided now. Try again later.');
const signer: Problem = {
  failInfo: 'badCertId',
  words: 'The certificate that signed does not authorize this request.',
};
const otherRequest = (what: string) => bad(`The certification request ${what}.`);

/** By the control that objects, the first in this order deciding: a wrong secret learns nothing of what else was wrong. */
export const problemsByControl: readonly (readonly [control: string, problem: Problem])[] = [
  ['segment-listener-class', notHere],
  ['segment-protocol', notHere],
  [
    'segment-tls-floor',
    { failInfo: 'badAlg', words: 'This algorithm is not accepted here: use AES and SHA-256.' },
  ],
  ['segment-source', notHere],
  ['segment-management', notHere],
  ['segment-template', notHere],
  ['template-known', notHere],
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
  ['identity-known', signer],
  ['identity-current', signer],
  ['identity-purpose', signer],
  ['identity-template', signer],
  ['identity-device', signer],
  ['renewal-issued-here', signer],
  ['renewal-known', signer],
  ['renewal-end-entity', signer],
  ['renewal-unexpired', signer],
  ['renewal-unrevoked', signer],
  ['renewal-template', signer],
  ['denied', bad('An operator has denied this request.')],
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
  ['attestation-fresh', bad('The evidence is not fresh: ask for a nonce and attest again.')],
  ['attestation-unused', evidence],
  ['attestation', bad('This device must attest its key, and the request holds no evidence.')],
  ['rate-device', tooMany],
  ['rate-template', tooMany],
  ['key-origin', forbidden],
  ['binding-matches', forbidden],
  ['binding-present', bad('SCEP cannot bind a request to its connection, as is demanded here.')],
  ['key-algorithm', { failInfo: 'badAlg', words: 'The key is of a type that is not allowed here.' }],
  ['key-strength', { failInfo: 'badAlg', words: 'The key is weak: make a new one.' }],
  ['key-unshared', otherRequest('has a key that cannot be used here: make a new one')],
  ['request-possession', otherRequest('is not signed with its own key')],
  ['account-valid', forbidden],
  ['account-template', forbidden],
  ['account-order', forbidden],
  ['account-names', forbidden],
  ['account-count', forbidden],
  ['account-authorized', forbidden],
  ['workflow-agreed', forbidden],
  ['renewal-names', otherRequest('names another subject or other names than the certificate it renews')],
  ['renewal-key', otherRequest('has a key that is not allowed for this renewal')],
  ['request-subject', otherRequest('asks for a subject that this device does not get')],
  ['request-subject-alt-name', otherRequest('asks for alternative names that this device does not get')],
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

/** What is no SCEP, or cannot be answered by a CertRep: said by the status of HTTP. */
export class ScepError extends SallyportError {
  readonly status: 400 | 404 | 405 | 501;

  constructor(status: ScepError['status'], words: string, options?: ErrorOptions) {
    super('malformed', words, options);
    this.status = status;
  }
}

/** A message whose signature verifies, refused for what else it is. The client is told the problem, and the log has the words. */
export class MessageError extends SallyportError {
  readonly problem: Problem;

  constructor(problem: Problem, words: string, options?: ErrorOptions) {
    super('malformed', words, options);
    this.problem = problem;
  }
}

/** A message that could not be opened: so many of them a source may send. */
export class UnopenedError extends MessageError {}

/** The source has sent too many that could not be opened, and no more are. */
export function unopenedTooOften(): MessageError {
  return new MessageError(
    tooMany,
    'this source has sent too many messages that could not be opened (limits.unopened): this one was not',
  );
}

const unopened: Problem = { failInfo: 'badMessageCheck', words: 'The message cannot be opened.' };

/** Whatever comes of decrypting is told alike: who sends on what somebody else encrypted learns nothing of it. */
export function unopenable(words: string, cause?: unknown): UnopenedError {
  const because = cause instanceof Error ? `${words}: ${cause.message}` : words;
  return new UnopenedError(unopened, because, { cause });
}
