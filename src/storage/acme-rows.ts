import type { Examination } from '#evidence';
import type { IdentifierType, OrderIdentifier } from '#enrollment';
import type { JsonText } from './json-text.ts';

/** What the owner of an account was given: RFC 8555 section 7.3.4. */
export interface ExternalAccountKeyRow {
  readonly id: string;
  readonly device_id: string;
  /** The MAC key, sealed under a key kept outside the database: HS256 needs it as it is. */
  readonly sealed: Uint8Array;
  readonly sealing_key: string;
  readonly templates: JsonText<readonly string[]>;
  readonly names: JsonText<readonly string[]> | null;
  readonly maximum_certificates: number | null;
  /** The operator who said that its names need no other approval. */
  readonly approved_by: string | null;
  readonly state: 'live' | 'spent' | 'void';
  readonly created_at: number;
  readonly expires_at: number;
  readonly created_by: string;
}

export interface AcmeAccountRow {
  readonly id: string;
  /** null: it was made without one, where evidence says whose it is. */
  readonly external_account_key: string | null;
  /** Whose it is; null: nobody's, as long as no evidence said so. */
  readonly device_id: string | null;
  /** RFC 7638, of its key. */
  readonly thumbprint: string;
  readonly jwk: string;
  /** SHA-256 of the same key as X.509 has it. */
  readonly spki: string;
  readonly contact: JsonText<readonly string[]>;
  readonly status: 'valid' | 'deactivated' | 'revoked';
  readonly created_at: number;
}

export interface AcmeOrderRow {
  readonly id: string;
  readonly account: string;
  readonly template: string;
  readonly identifiers: JsonText<readonly OrderIdentifier[]>;
  /** Digest of the identifiers, in whatever order. */
  readonly names: string;
  readonly not_before: number | null;
  readonly not_after: number | null;
  /** SHA-256 of the certificate that it replaces (RFC 9773). */
  readonly replaces: string | null;
  readonly created_at: number;
  readonly expires_at: number;
  /** The last one that was opened for it. */
  readonly intent: string | null;
  /** When a request was first held for it, or the one that it was issued for came. */
  readonly finalized_at: number | null;
  readonly spki: string | null;
  /** Of the entry beside which that request is kept, and its address there. */
  readonly log_idx: number | null;
  readonly address: Uint8Array | null;
  /** A problem document. */
  readonly error: JsonText<object> | null;
  readonly certificate: string | null;
}

export interface AcmeAuthorizationRow {
  readonly id: string;
  readonly account: string;
  readonly template: string;
  readonly type: IdentifierType;
  readonly value: string;
  readonly wildcard: number;
  readonly token: string;
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated';
  /** The challenge that its client has answered. */
  readonly method: string | null;
  /** Id of the request that did. */
  readonly request: string | null;
  /** When it is for any node to validate: whoever does moves it ahead first. */
  readonly due_at: number | null;
  readonly tries: number;
  readonly error: JsonText<object> | null;
  readonly validated_at: number | null;
  readonly expires_at: number;
  /** What was seen of the evidence that answered it. */
  readonly evidence: JsonText<Examination> | null;
}

export interface AcmeOrderAuthorizationRow {
  readonly order_id: string;
  readonly position: number;
  readonly authorization_id: string;
}
