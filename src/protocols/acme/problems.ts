import type { Answer, OrderIdentifier } from '#enrollment';
import { type ErrorCode, SallyportError } from '#errors';

/** RFC 8555 section 6.7, RFC 9773 section 5, draft-ietf-acme-profiles section 6, draft-ietf-acme-device-attest section 9.4. Without `urn:ietf:params:acme:error:`. */
export type ProblemType =
  | 'accountDoesNotExist'
  | 'alreadyReplaced'
  | 'alreadyRevoked'
  | 'badAttestationStatement'
  | 'badCSR'
  | 'badNonce'
  | 'badPublicKey'
  | 'badRevocationReason'
  | 'badSignatureAlgorithm'
  | 'caa'
  | 'connection'
  | 'dns'
  | 'externalAccountRequired'
  | 'incorrectResponse'
  | 'invalidContact'
  | 'invalidProfile'
  | 'malformed'
  | 'orderNotReady'
  | 'rateLimited'
  | 'rejectedIdentifier'
  | 'serverInternal'
  | 'tls'
  | 'unauthorized'
  | 'unsupportedContact'
  | 'unsupportedIdentifier';

/** A problem document (RFC 9457): what a client is told. */
export interface ProblemDocument {
  readonly type: string;
  readonly detail: string;
  readonly status?: number;
  readonly subproblems?: readonly SubProblem[];
  /** RFC 8555 section 6.2. */
  readonly algorithms?: readonly string[];
}

export interface SubProblem {
  readonly type: string;
  readonly detail: string;
  readonly identifier: OrderIdentifier;
}

export const typeOf = (type: ProblemType) => `urn:ietf:params:acme:error:${type}`;

/** A request that ACME's own rules refuse. `message` is for the log, `told` for the client where that is to learn less. */
export class AcmeError extends SallyportError {
  readonly status: number;
  readonly document: ProblemDocument;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    type: ProblemType,
    message: string,
    more: {
      status?: number;
      told?: string;
      subproblems?: readonly SubProblem[];
      algorithms?: readonly string[];
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(codeOf[type], message, { cause: more.cause });
    const { status = statuses[type] ?? 400, told = message, subproblems, algorithms, headers = {} } = more;
    this.status = status;
    this.headers = headers;
    this.document = {
      type: typeOf(type),
      detail: told,
      status,
      ...(subproblems === undefined ? {} : { subproblems }),
      ...(algorithms === undefined ? {} : { algorithms }),
    };
  }
}

const statuses: Partial<Record<ProblemType, number>> = {
  unauthorized: 403,
  externalAccountRequired: 403,
  rejectedIdentifier: 403,
  orderNotReady: 403,
  rateLimited: 429,
  alreadyReplaced: 409,
  serverInternal: 500,
};

const codeOf = {
  accountDoesNotExist: 'not-found',
  alreadyReplaced: 'conflict',
  alreadyRevoked: 'conflict',
  badAttestationStatement: 'forbidden',
  badCSR: 'malformed',
  badNonce: 'conflict',
  badPublicKey: 'unsupported',
  badRevocationReason: 'unsupported',
  badSignatureAlgorithm: 'unsupported',
  caa: 'forbidden',
  connection: 'forbidden',
  dns: 'forbidden',
  externalAccountRequired: 'forbidden',
  incorrectResponse: 'forbidden',
  invalidContact: 'malformed',
  invalidProfile: 'unsupported',
  malformed: 'malformed',
  orderNotReady: 'conflict',
  rateLimited: 'forbidden',
  rejectedIdentifier: 'forbidden',
  serverInternal: 'internal',
  tls: 'forbidden',
  unauthorized: 'forbidden',
  unsupportedContact: 'unsupported',
  unsupportedIdentifier: 'unsupported',
} as const satisfies Record<ProblemType, ErrorCode>;

export function malformed(words: string, status?: number): AcmeError {
  return new AcmeError('malformed', words, status === undefined ? {} : { status });
}

export const notHere = () => malformed('there is no such resource here', 404);

interface Told {
  readonly type: ProblemType;
  readonly words: string;
}

const unauthorized = (words: string): Told => ({ type: 'unauthorized', words });
const forbidden = unauthorized('This request is not allowed.');
const place = unauthorized('This request is not allowed from here.');
const account = unauthorized('This account is not allowed this certificate.');
const renewal = unauthorized('This certificate cannot be renewed so.');
const evidence: Told = {
  type: 'badAttestationStatement',
  words: 'The evidence of this key is not accepted here.',
};
const tooMany: Told = { type: 'rateLimited', words: 'Too many requests. Try again later.' };
const csr = (words: string): Told => ({ type: 'badCSR', words: `The certification request ${words}.` });

/** By the control that objects, the first in this order deciding. */
export const problemsByControl: readonly (readonly [control: string, problem: Told])[] = [
  ['segment-listener-class', place],
  ['segment-protocol', place],
  ['segment-tls-floor', place],
  ['segment-source', place],
  ['segment-management', place],
  ['segment-template', place],
  ['template-known', place],
  ['rate-source', tooMany],
  ['account-valid', account],
  ['account-template', account],
  ['account-names', { type: 'rejectedIdentifier', words: 'This account is not allowed these identifiers.' }],
  ['account-count', account],
  ['account-authorized', unauthorized('The account has no valid authorization for every identifier.')],
  ['account-order', csr('does not fit its order: other identifiers, or another key')],
  ['authentication', account],
  ['secret-known', account],
  ['secret-not-void', account],
  ['secret-unexpired', account],
  ['secret-unused', account],
  ['secret-template', account],
  ['secret-request', account],
  ['secret-device', account],
  ['challenge-known', account],
  ['challenge-limit', tooMany],
  ['identity-known', account],
  ['identity-current', account],
  ['identity-purpose', account],
  ['identity-template', account],
  ['identity-device', account],
  ['renewal-issued-here', renewal],
  ['renewal-known', renewal],
  ['renewal-end-entity', renewal],
  ['renewal-unexpired', renewal],
  ['renewal-unrevoked', renewal],
  ['renewal-template', renewal],
  ['denied', unauthorized('An operator has denied this request.')],
  ['device-known', forbidden],
  ['device-state', forbidden],
  ['segment-class', place],
  ['template-class', forbidden],
  ['template-names', forbidden],
  ['attestation-fresh', evidence],
  ['attestation-sound', evidence],
  ['attestation-trusted', evidence],
  ['attestation-key', evidence],
  ['attestation-device', evidence],
  ['attestation-unused', evidence],
  ['attestation', unauthorized('The device must attest its key.')],
  ['rate-device', tooMany],
  ['rate-template', tooMany],
  ['workflow-agreed', forbidden],
  ['key-origin', forbidden],
  ['binding-matches', forbidden],
  ['binding-present', forbidden],
  ['key-algorithm', csr('has a key of a type that is not allowed here')],
  ['key-strength', csr('has a weak key: make a new one')],
  ['key-unshared', csr('has a key that cannot be used here: make a new one')],
  ['request-possession', csr('is not signed with its own key')],
  ['renewal-names', csr('names another subject than the certificate it renews')],
  ['renewal-key', csr('has a key that is not allowed for this renewal')],
  ['request-subject', csr('asks for a subject that is not given here')],
  ['request-subject-alt-name', csr('asks for alternative names that are not given here')],
  ['request-usage', csr('asks for a key usage or extended key usage that is not given here')],
  ['request-end-entity', csr('asks to be a certification authority')],
  ['request-no-sid', csr('asks for a security identifier')],
  ['request-extensions', csr('asks for an extension that is not given here')],
];

/** What is said of a refusal. A control that is not in the table, an operator's own for one, is simply not allowed. */
export function problemOfRefusal(
  answer: Extract<Answer, { outcome: 'refused' }>,
): ProblemDocument & { status: number } {
  const objecting = new Set(answer.objections.map(({ control }) => control));
  const { type, words } = problemsByControl.find(([control]) => objecting.has(control))?.[1] ?? forbidden;
  const detail = `${words} Support code ${answer.id}.`;
  return { type: typeOf(type), detail, status: statuses[type] ?? 400 };
}
