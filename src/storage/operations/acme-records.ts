import { fromJson } from '../json-text.ts';
import { first, type Operation, together } from '../operation.ts';
import type { AcmeAccountRow, AcmeAuthorizationRow, DeviceRow, ExternalAccountKeyRow } from '../schema.ts';
import { statement } from '../statement.ts';

/** What an owner was given, as the store has it. */
export interface ExternalAccountKeyRecord {
  readonly id: string;
  readonly deviceId: string;
  readonly deviceState: DeviceRow['state'];
  readonly templates: readonly string[];
  readonly names: readonly string[] | null;
  readonly maximumCertificates: number | null;
  readonly approvedBy: string | null;
  readonly state: ExternalAccountKeyRow['state'];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly by: string;
}

export type AccountRecord = Pick<AcmeAccountRow, 'id' | 'thumbprint' | 'jwk' | 'spki' | 'status'> & {
  readonly externalAccountKey: string | null;
  readonly device: string | null;
};

/** `request`: the one that answered its challenge. */
export type AuthorizationRecord = Pick<
  AcmeAuthorizationRow,
  'id' | 'account' | 'template' | 'type' | 'value' | 'status' | 'method' | 'request'
> & {
  readonly wildcard: boolean;
  readonly validatedAt: number | null;
  readonly expiresAt: number;
};

/** How many rows there are; of authorizations, how many that are valid. */
export interface AcmeCounts {
  readonly externalAccountKeys: number;
  readonly accounts: number;
  readonly validAuthorizations: number;
}

interface Ids {
  readonly ids: readonly string[];
}

const selectKey = statement((database, p: { id: string }) =>
  database
    .selectFrom('external_account_key')
    .innerJoin('device', 'device.id', 'external_account_key.device_id')
    .select(['external_account_key.id', 'device_id', 'templates', 'names', 'maximum_certificates'])
    .select(['approved_by', 'external_account_key.state', 'expires_at', 'created_by'])
    .select(['external_account_key.created_at', 'device.state as device_state'])
    .where('external_account_key.id', '=', p.id),
);

const selectAccount = statement((database, p: { id: string }) =>
  database
    .selectFrom('acme_account')
    .select(['id', 'external_account_key', 'device_id', 'thumbprint', 'jwk', 'spki', 'status'])
    .where('id', '=', p.id),
);

const selectAuthorization = statement((database, p: { id: string }) =>
  database
    .selectFrom('acme_authorization')
    .select(['id', 'account', 'template', 'type', 'value', 'wildcard', 'status', 'method', 'request'])
    .select(['validated_at', 'expires_at'])
    .where('id', '=', p.id),
);

const countKeys = statement((database) =>
  database.selectFrom('external_account_key').select((eb) => eb.fn.countAll<number>().as('count')),
);

const countAccounts = statement((database) =>
  database.selectFrom('acme_account').select((eb) => eb.fn.countAll<number>().as('count')),
);

const countValid = statement((database) =>
  database
    .selectFrom('acme_authorization')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('status', '=', 'valid'),
);

export function* acmeCounts(): Operation<AcmeCounts> {
  const [keys, accounts, valid] = yield* together(
    first(countKeys, {}),
    first(countAccounts, {}),
    first(countValid, {}),
  );
  return {
    externalAccountKeys: keys?.count ?? 0,
    accounts: accounts?.count ?? 0,
    validAuthorizations: valid?.count ?? 0,
  };
}

/** In the order of the ids; null for what is not there. */
export function* externalAccountKeyRecords({
  ids,
}: Ids): Operation<readonly (ExternalAccountKeyRecord | null)[]> {
  const rows = yield* together(...ids.map((id) => first(selectKey, { id })));
  return rows.map((row) =>
    row === undefined
      ? null
      : {
          id: row.id,
          deviceId: row.device_id,
          deviceState: row.device_state,
          templates: fromJson(row.templates),
          names: row.names === null ? null : fromJson(row.names),
          maximumCertificates: row.maximum_certificates,
          approvedBy: row.approved_by,
          state: row.state,
          createdAt: row.created_at,
          expiresAt: row.expires_at,
          by: row.created_by,
        },
  );
}

/** In the order of the ids; null for what is not there. */
export function* accountRecords({ ids }: Ids): Operation<readonly (AccountRecord | null)[]> {
  const rows = yield* together(...ids.map((id) => first(selectAccount, { id })));
  return rows.map((row) => {
    if (row === undefined) return null;
    const { external_account_key: externalAccountKey, device_id: device, ...account } = row;
    return { ...account, externalAccountKey, device };
  });
}

/** In the order of the ids; null for what is not there. */
export function* authorizationRecords({ ids }: Ids): Operation<readonly (AuthorizationRecord | null)[]> {
  const rows = yield* together(...ids.map((id) => first(selectAuthorization, { id })));
  return rows.map((row) => {
    if (row === undefined) return null;
    const { validated_at: validatedAt, expires_at: expiresAt, wildcard, ...authorization } = row;
    return { ...authorization, wildcard: wildcard === 1, validatedAt, expiresAt };
  });
}
