import type { Der } from '#x509';

/**
 * A system outside that has a say in a template: the MDM that gave out a challenge, or whatever an operator configures. It never rejects: what
 * cannot be had of it is `unavailable`, and an answer that it does not know is a refusal.
 */
export interface Workflow {
  /** Whether it agrees to this request. Asked when nothing else stands against it. */
  validate(request: WorkflowRequest): Promise<WorkflowAnswer>;
  /** Whether the certificate may leave: asked when it is stored, before it is delivered, and at each delivery again. */
  deliver(request: WorkflowRequest, certificate: Der): Promise<WorkflowAnswer>;
  /** Nothing came of a request that it agreed to. Best effort. */
  failed(request: WorkflowRequest, failure: WorkflowFailure): Promise<void>;
}

export interface WorkflowRequest {
  /** Support code; the same at each step of one request. */
  readonly id: string;
  readonly protocol: string;
  readonly template: string;
  readonly action: 'enroll' | 'renew';
  /** As the client wrote it (RFC 8894 section 3.2.1.1); null where its protocol has none. */
  readonly transactionID: string | null;
  /** null: a renewal needs none, and of a poll it is not known any more. */
  readonly challenge: string | null;
  /** As it came; of a poll, without its challengePassword. */
  readonly certificationRequest: Uint8Array;
  /** Id in the inventory. */
  readonly device: string;
  readonly address: string;
}

export interface WorkflowAnswer {
  readonly decision: 'agreed' | 'refused' | 'unavailable';
  /** Its own word for it, or ours where it gave none: letters, digits and `._-`, no more than 64. */
  readonly code: string;
  /** The device that it speaks of, by its id in the inventory; null where it names none. */
  readonly device: string | null;
}

export interface WorkflowFailure {
  /** The control that objected, or `failed` for a fault of ours. */
  readonly control: string;
  /** For the operators of the other system: the control's title, and no detail. */
  readonly words: string;
}

/** What `code` may be; anything else that another system says is not written down. */
export function workflowCode(code: unknown): string {
  return typeof code === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(code) ? code : 'unreadable';
}
