import type { NewEntry } from '#audit';
import type { Examination } from '#evidence';
import type { IdentifierType, LogPosition, OrderIdentifier } from '#enrollment';

/**
 * What ACME asks of the store. Each method is one atomic operation; what takes an entry is durable, with it, when it resolves. Errors: SallyportError 'store';
 * 'conflict' where the state is no longer what the caller saw; 'not-found'. Times are milliseconds since the epoch.
 */
export interface AcmeStore {
  /** Whether this is its first use, on any node. `nonce` is kept until it would be refused for its age. */
  useNonce(nonce: Uint8Array, expiresAt: number): Promise<boolean>;
  externalAccountKey(id: string): Promise<ExternalAccountKey | null>;
  account(id: string): Promise<StoredAccount | null>;
  accountByKey(thumbprint: string): Promise<StoredAccount | null>;
  /** A key of an account is in no certificate. */
  isAccountKey(spki: string): Promise<boolean>;
  /** Spends the external account key, where there is one. Throws 'conflict' where that is not live any more, or the account's key is another one's. */
  createAccount(act: { account: NewAccount; now: number; entry: NewEntry }): Promise<LogPosition>;
  updateAccount(act: {
    id: string;
    contact: readonly string[];
    status: 'valid' | 'deactivated';
    entry: NewEntry;
  }): Promise<LogPosition>;
  /** Throws 'conflict' where the old key is not the account's any more, or the new one is an account's. */
  changeAccountKey(act: {
    id: string;
    oldThumbprint: string;
    thumbprint: string;
    jwk: string;
    spki: string;
    entry: NewEntry;
  }): Promise<LogPosition>;
  /**
   * An order, with an authorization for each of `wanted`: one of the same account and template that still counts at `reuseUntil`, or else the new one, to be proven by `proveUntil`. Throws
   * 'conflict' where the account has `maximumOpen` open orders, or an order that is not over replaces what `replaces` names.
   */
  createOrder(act: NewOrder): Promise<LogPosition & { readonly order: StoredOrder }>;
  order(id: string): Promise<StoredOrder | null>;
  /** Ids of an account's orders that are not over, the oldest first, after one of them. */
  ordersOf(query: {
    account: string;
    after: string | null;
    now: number;
    limit: number;
  }): Promise<readonly string[]>;
  authorization(id: string): Promise<StoredAuthorization | null>;
  /** The client has answered a challenge. Throws 'conflict' where it is not pending any more, or one was answered before. */
  respond(act: {
    id: string;
    method: string;
    request: string;
    dueAt: number;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;
  /** The client has answered with evidence, and what it proves is known: both at once. Throws as `respond` does, and 'forbidden' where the account cannot be the owner's any more. */
  attested(act: {
    id: string;
    method: string;
    request: string;
    problem: object | null;
    expiresAt: number;
    /** null: it proves nothing of anybody, and is not kept. */
    evidence: Examination | null;
    /** Whose the account is from here on, where it was nobody's; null: it was somebody's, or is nobody's still. */
    owner: { account: string; device: string } | null;
    now: number;
    /** Of the answer, and of what was seen. */
    entries: readonly [NewEntry, NewEntry];
  }): Promise<LogPosition>;
  /** Takes the work of validating, where that was due. */
  takeDue(act: { id: string; dueAt: number; now: number }): Promise<boolean>;
  dueAuthorizations(now: number, limit: number): Promise<readonly StoredAuthorization[]>;
  /** With a problem, its orders come to nothing by that. Throws 'conflict' where nobody has answered it, or it is over, be it for its age. */
  validated(act: {
    id: string;
    problem: object | null;
    expiresAt: number;
    now: number;
    entry: NewEntry;
  }): Promise<LogPosition>;
  /** Its orders come to nothing by `problem`, but for those that have a certificate. Throws 'conflict' where it is neither pending nor valid. */
  deactivateAuthorization(act: { id: string; problem: object; entry: NewEntry }): Promise<LogPosition>;
  /** Without an entry of its own: the refusal has one. */
  failOrder(act: { id: string; problem: object }): Promise<void>;
  /** The newest current certificate of this template that the account ordered for these names; or that the device has, whoever ordered it. `without`: by SHA-256, that which the order has already. */
  predecessor(
    query: ({ account: string; names: string } | { device: string }) & {
      template: string;
      without: string | null;
      now: number;
    },
  ): Promise<Uint8Array | null>;
  /** The request that an order was held with, or issued for. */
  heldRequest(order: string): Promise<Uint8Array | null>;
  /** A certificate, the order that it came of, and whether one replaces it `now`. */
  certificate(
    query: ({ sha256: string } | { issuer: string; serialNumber: string }) & { now: number },
  ): Promise<OrderedCertificate | null>;
  /** The account has valid authorizations for all of these. */
  isAuthorized(query: {
    account: string;
    wanted: readonly Pick<WantedAuthorization, 'type' | 'value' | 'wildcard'>[];
    now: number;
  }): Promise<boolean>;
  revoke(act: { sha256: string; reason: number; now: number; entry: NewEntry }): Promise<LogPosition>;
  /** Those that are long refused for their age `now`. */
  forgetNonces(now: number): Promise<void>;
  /** Orders and proofs that were over before then, and accounts that were nobody's then and have no orders. Looks at every order that is over and has a current certificate. */
  forgetOrders(act: { now: number; over: number }): Promise<void>;
}

export interface ExternalAccountKey {
  readonly id: string;
  readonly device: string;
  readonly sealed: Uint8Array;
  readonly sealingKey: string;
  readonly state: 'live' | 'spent' | 'void';
  readonly expiresAt: number;
}

export interface NewAccount {
  readonly id: string;
  /** null: it was made without one, where evidence says whose it is. */
  readonly externalAccountKey: string | null;
  readonly thumbprint: string;
  /** Canonical (RFC 7638). */
  readonly jwk: string;
  /** SHA-256 of the same key as X.509 has it. */
  readonly spki: string;
  readonly contact: readonly string[];
}

export interface StoredAccount extends NewAccount {
  readonly status: 'valid' | 'deactivated' | 'revoked';
  readonly createdAt: number;
  /** Whose it is; null: nobody's, as long as no evidence said so. */
  readonly device: string | null;
  /** What its owner was given; null: nothing. */
  readonly key: {
    readonly state: 'live' | 'spent' | 'void';
    readonly templates: readonly string[];
    readonly names: readonly string[] | null;
  } | null;
}

export interface WantedAuthorization {
  readonly id: string;
  readonly type: IdentifierType;
  readonly value: string;
  readonly wildcard: boolean;
  readonly token: string;
}

export interface NewOrder {
  readonly id: string;
  readonly account: string;
  readonly template: string;
  readonly identifiers: readonly OrderIdentifier[];
  readonly names: string;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  readonly replaces: string | null;
  readonly expiresAt: number;
  readonly wanted: readonly WantedAuthorization[];
  /** null: none is used again. */
  readonly reuseUntil: number | null;
  readonly proveUntil: number;
  readonly maximumOpen: number;
  readonly now: number;
  readonly entry: NewEntry;
}

export interface StoredOrder {
  readonly id: string;
  readonly account: string;
  readonly template: string;
  readonly identifiers: readonly OrderIdentifier[];
  readonly names: string;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  readonly replaces: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly finalizedAt: number | null;
  readonly error: object | null;
  readonly certificate: string | null;
  /** Its certificate waits for a workflow's word, and nobody has had it. */
  readonly undelivered: boolean;
  /** Its certificate was revoked before it left. */
  readonly withdrawn: boolean;
  readonly authorizations: readonly StoredAuthorization[];
}

export interface StoredAuthorization extends WantedAuthorization {
  readonly account: string;
  readonly template: string;
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated';
  readonly method: string | null;
  readonly request: string | null;
  readonly tries: number;
  readonly error: object | null;
  readonly validatedAt: number | null;
  readonly expiresAt: number;
  /** What was seen of the evidence that answered it; null: none did. */
  readonly evidence: Examination | null;
}

export interface OrderedCertificate {
  readonly sha256: string;
  readonly issuer: string;
  readonly der: Uint8Array;
  readonly template: string;
  readonly device: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly revokedAt: number | null;
  readonly undelivered: boolean;
  /** The account that ordered it; null: none did. */
  readonly account: string | null;
  /** What that ordered; empty where none did. */
  readonly ordered: readonly OrderIdentifier[];
  /** The order that replaces it: no problem is written down of that one, though it may be over. */
  readonly replacedBy: string | null;
}
