import type { AccountStatus, ExternalAccountKeyState, StoredAccountInfo } from '../external-account-store.ts';
import { type AccountBoundsView, boundsView } from './external-account-key.ts';
import { isoTime } from './time.ts';

export interface AccountView extends AccountBoundsView {
  readonly id: string;
  readonly externalAccountKey: string;
  /** void: the account has no power, whatever its status. */
  readonly keyState: ExternalAccountKeyState;
  /** RFC 8555 section 7.1.2. */
  readonly status: AccountStatus;
  /** Of the account's key (RFC 7638). */
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly createdAt: string;
}

export function accountView(account: StoredAccountInfo): AccountView {
  const { id, externalAccountKey, keyState, status, thumbprint, contact, createdAt } = account;
  return {
    id,
    externalAccountKey,
    keyState,
    ...boundsView(account),
    status,
    thumbprint,
    contact,
    createdAt: isoTime(createdAt),
  };
}
