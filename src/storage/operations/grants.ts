import { fromJson } from '../json-text.ts';
import { first, type Operation, together } from '../operation.ts';
import type { ApprovalRow, SecretRow } from '../schema.ts';
import { statement } from '../statement.ts';

/** What became of a secret, as the store has it. */
export type SecretRecord = Pick<SecretRow, 'id' | 'template' | 'state' | 'certificate'> & {
  readonly deviceId: string | null;
  readonly expected: unknown;
  readonly createdAt: number;
  readonly expiresAt: number;
};

/** `intentId`: the request for which it is taken or was used. */
export type ApprovalRecord = Pick<ApprovalRow, 'id' | 'state'> & { readonly intentId: string | null };

const selectSecret = statement((database, p: { id: string }) =>
  database
    .selectFrom('secret')
    .select(['id', 'device_id', 'template', 'expected', 'state', 'certificate'])
    .select(['created_at', 'expires_at'])
    .where('id', '=', p.id),
);

const selectApproval = statement((database, p: { id: string }) =>
  database.selectFrom('approval').select(['id', 'state', 'intent_id']).where('id', '=', p.id),
);

const countSecrets = statement((database) =>
  database.selectFrom('secret').select((eb) => eb.fn.countAll<number>().as('count')),
);

export function* secretCount(): Operation<number> {
  return (yield* first(countSecrets, {}))?.count ?? 0;
}

/** In the order of the ids; null for what is not there. */
export function* secretRecords({
  ids,
}: {
  ids: readonly string[];
}): Operation<readonly (SecretRecord | null)[]> {
  const rows = yield* together(...ids.map((id) => first(selectSecret, { id })));
  return rows.map((row) =>
    row === undefined
      ? null
      : {
          id: row.id,
          template: row.template,
          state: row.state,
          certificate: row.certificate,
          deviceId: row.device_id,
          expected: row.expected === null ? null : fromJson(row.expected),
          createdAt: row.created_at,
          expiresAt: row.expires_at,
        },
  );
}

/** In the order of the ids; null for what is not there. */
export function* approvalRecords({
  ids,
}: {
  ids: readonly string[];
}): Operation<readonly (ApprovalRecord | null)[]> {
  const rows = yield* together(...ids.map((id) => first(selectApproval, { id })));
  return rows.map((row) =>
    row === undefined ? null : { id: row.id, state: row.state, intentId: row.intent_id },
  );
}
