import { toJson } from '../json-text.ts';
import { type Operation, run } from '../operation.ts';
import type { AcmeOrderRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { endAccountsWithoutKey, voidExternalAccountKeys } from './external-accounts.ts';

/** What a restore ends of ACME. */
export interface EndedAcme {
  /** Those that had been spent are of as many accounts. */
  readonly externalAccountKeys: number;
  /** Those that were made without one. */
  readonly accounts: number;
  readonly orders: number;
  readonly authorizations: number;
}

const failOpen = statement((database, p: { error: NonNullable<AcmeOrderRow['error']> }) =>
  database
    .updateTable('acme_order')
    .set({ error: p.error })
    .where('certificate', 'is', null)
    .where('error', 'is', null),
);

const deactivateOpen = statement((database) =>
  database
    .updateTable('acme_authorization')
    .set({ status: 'deactivated', due_at: null })
    .where('status', 'in', ['pending', 'valid']),
);

/** RFC 8555 section 7.1.3: "The error that occurred while processing the order". */
const restored = toJson({
  type: 'urn:ietf:params:acme:error:unauthorized',
  detail:
    'The authority was restored from a backup, and this account ended: make another one, and order again.',
  status: 403,
});

/**
 * Of every account. One that was deactivated, revoked, or had its external account key made void after a backup is good again in it, and one whose key was
 * changed, because somebody else had it perhaps, has the old key back (RFC 8555 section 7.3.5). Which those are no backup knows, so that all of them end, as
 * the credentials of machines do: certificates stay, and an owner who is given a new external account key goes on. Neither can a message that was sent after
 * the backup be sent again, though the nonces used since are forgotten.
 */
export function* endAcme(): Operation<EndedAcme> {
  return {
    externalAccountKeys: yield* voidExternalAccountKeys(),
    accounts: yield* endAccountsWithoutKey(),
    orders: yield* run(failOpen, { error: restored }),
    authorizations: yield* run(deactivateOpen, {}),
  };
}
