import { formatGeneralName, formatName } from '#x509';
import type { SecretState, StoredSecret } from '../store.ts';
import { isoTime } from './time.ts';

export interface SecretView {
  readonly id: string;
  /** null: for no device yet. */
  readonly device: string | null;
  readonly template: string;
  readonly state: SecretState;
  /** Too late for a live one; a reserved one still counts for the request it is reserved for. */
  readonly expired: boolean;
  readonly expected: {
    readonly subject: string | null;
    readonly subjectAltName: readonly string[] | null;
  } | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly createdBy: string;
}

export function secretView(secret: StoredSecret, now: number): SecretView {
  return {
    id: secret.id,
    device: secret.deviceId,
    template: secret.template,
    state: secret.state,
    expired: now >= secret.expiresAt,
    expected: expectedView(secret.expected),
    createdAt: isoTime(secret.createdAt),
    expiresAt: isoTime(secret.expiresAt),
    createdBy: secret.by,
  };
}

function expectedView(expected: StoredSecret['expected']): SecretView['expected'] {
  if (expected === null) return null;
  const { subject, subjectAltName } = expected;
  return {
    subject: subject === null ? null : formatName(subject),
    subjectAltName: subjectAltName === null ? null : subjectAltName.map(formatGeneralName),
  };
}
