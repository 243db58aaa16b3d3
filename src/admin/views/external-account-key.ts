import type {
  AccountBounds,
  ExternalAccountKeyState,
  StoredExternalAccountKey,
} from '../external-account-store.ts';
import { isoTime } from './time.ts';

/** What an account may, for ever. */
export interface AccountBoundsView {
  readonly device: string;
  readonly templates: readonly string[];
  /** null: whatever the templates admit. */
  readonly names: readonly string[] | null;
  readonly maximumCertificates: number | null;
  readonly approvedBy: string | null;
}

export interface ExternalAccountKeyView extends AccountBoundsView {
  readonly id: string;
  readonly state: ExternalAccountKeyState;
  /** Too late for a live one; an account that was made with it goes on. */
  readonly expired: boolean;
  /** That was made with it. */
  readonly account: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly createdBy: string;
}

export function externalAccountKeyView(key: StoredExternalAccountKey, now: number): ExternalAccountKeyView {
  return {
    id: key.id,
    ...boundsView(key),
    state: key.state,
    expired: now >= key.expiresAt,
    account: key.account,
    createdAt: isoTime(key.createdAt),
    expiresAt: isoTime(key.expiresAt),
    createdBy: key.by,
  };
}

export function boundsView(bounds: AccountBounds): AccountBoundsView {
  const { deviceId, templates, names, maximumCertificates, approvedBy } = bounds;
  return { device: deviceId, templates, names, maximumCertificates, approvedBy };
}
