import type { RequestEntry } from '#enrollment';

/** What the entry of an ACME message says of what was done; empty where it is no answer of this operation. */
export function answerTo(operation: string, entry: RequestEntry): Readonly<Record<string, unknown>> {
  const { source } = entry.observations;
  const isAnswer =
    entry.outcome === 'answered' && source.protocol === 'acme' && source.operation === operation;
  return (isAnswer ? entry.detail : null) ?? {};
}

/** What an entry says of the account that it made. */
export interface MadeAccount {
  readonly account: string;
  /** null: none. */
  readonly externalAccountKey: string | null;
  /** Whose it was from the beginning; absent where it was nobody's, and with the personal fields of the entry. */
  readonly device?: string;
  readonly thumbprint: string;
}

/** null: it made none. An answer for a key that had an account made none either. */
export function newAccountOf(entry: RequestEntry): MadeAccount | null {
  const { externalAccountKey, account, thumbprint, device } = answerTo('new-account', entry);
  return typeof externalAccountKey === 'string' || externalAccountKey === null
    ? {
        account: String(account),
        externalAccountKey,
        thumbprint: String(thumbprint),
        ...(typeof device === 'string' ? { device } : {}),
      }
    : null;
}
