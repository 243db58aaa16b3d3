import type { NewEntry } from '#audit';
import type { LogPosition } from '#enrollment';

export type ExternalAccountKeyState = 'live' | 'spent' | 'void';
export type AccountStatus = 'valid' | 'deactivated' | 'revoked';

/**
 * The part of the store that knows what owners of ACME accounts were given (RFC 8555 section 7.3.4), and what accounts became of it. As with every act:
 * atomic and durable together with its entry.
 */
export interface ExternalAccountStore {
  /** Throws 'not-found', and 'conflict' where the device is retired. */
  createExternalAccountKey(act: { key: NewExternalAccountKey; entry: NewEntry }): Promise<LogPosition>;
  externalAccountKeys(filter: {
    deviceId?: string;
    state?: ExternalAccountKeyState;
    after?: string;
    limit: number;
  }): Promise<readonly StoredExternalAccountKey[]>;
  /** Those that a machine made, by its name in the log (`machine:…`). */
  externalAccountKeysOfMachine(filter: {
    by: string;
    deviceId?: string;
    state?: ExternalAccountKeyState;
    after?: string;
    limit: number;
  }): Promise<readonly StoredExternalAccountKey[]>;
  externalAccountKey(id: string): Promise<StoredExternalAccountKey | null>;
  /** Live and spent ones: of a spent one the account has no power from then on. */
  voidExternalAccountKey(act: { id: string; entry: NewEntry }): Promise<LogPosition>;
  accounts(filter: {
    deviceId?: string;
    after?: string;
    limit: number;
  }): Promise<readonly StoredAccountInfo[]>;
  /** Throws 'conflict' where it is not valid any more. */
  revokeAccount(act: { id: string; entry: NewEntry }): Promise<LogPosition>;
}

/** What an account may, for ever. */
export interface AccountBounds {
  readonly deviceId: string;
  readonly templates: readonly string[];
  /** `www.example.org` or `10.0.0.7` itself, `.example.org` for every name below; null: whatever the templates admit. */
  readonly names: readonly string[] | null;
  /** Sets of names with current certificates; null: any number. */
  readonly maximumCertificates: number | null;
  /** The operator who said that first enrollments within `names` need no other approval. */
  readonly approvedBy: string | null;
}

export interface NewExternalAccountKey extends AccountBounds {
  readonly id: string;
  /** The MAC key, under a key that is kept outside of the database. */
  readonly sealed: Uint8Array;
  readonly sealingKeyId: string;
  readonly createdAt: number;
  /** Until then it can be spent. */
  readonly expiresAt: number;
  readonly by: string;
}

export interface StoredExternalAccountKey extends Omit<NewExternalAccountKey, 'sealed'> {
  readonly state: ExternalAccountKeyState;
  /** That was made with it. */
  readonly account: string | null;
}

export interface StoredAccountInfo extends Omit<AccountBounds, 'deviceId' | 'templates'> {
  readonly id: string;
  /** Whose it is; null: nobody's, as long as no evidence said so. */
  readonly deviceId: string | null;
  /** null: those that take accounts without an external account key. */
  readonly templates: readonly string[] | null;
  /** null, with its state: it was made without one. */
  readonly externalAccountKey: string | null;
  readonly keyState: ExternalAccountKeyState | null;
  readonly status: AccountStatus;
  /** RFC 7638. */
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly createdAt: number;
}
