import type { AccountStatus, ExternalAccountKeyState, StoredAccountInfo } from '../external-account-store.ts';
import type { AccountBoundsView } from './external-account-key.ts';
import { isoTime } from './time.ts';

export interface AccountView extends Omit<AccountBoundsView, 'device' | 'templates'> {
  readonly id: string;
  /** null: nobody's, as long as no evidence said so. */
  readonly device: string | null;
  /** null: those that take accounts without an external account key. */
  readonly templates: readonly string[] | null;
  /** null: it was made without one. */
  readonly externalAccountKey: string | null;
  /** void: the account has no power, whatever its status. */
  readonly keyState: ExternalAccountKeyState | null;
  /** RFC 8555 section 7.1.2. */
  readonly status: AccountStatus;
  /** Of the account's key (RFC 7638). */
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly createdAt: string;
}

export function accountView(account: StoredAccountInfo): AccountView {
  const { id, deviceId, externalAccountKey, keyState, status, thumbprint, contact, createdAt } = account;
  const { templates, names, maximumCertificates, approvedBy } = account;
  return {
    id,
    device: deviceId,
    externalAccountKey,
    keyState,
    templates,
    names,
    maximumCertificates,
    approvedBy,
    status,
    thumbprint,
    contact,
    createdAt: isoTime(createdAt),
  };
}
