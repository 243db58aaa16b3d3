import { type Kysely, sql } from 'kysely';
import type { AccountBounds, AdminStore, StoredAccountInfo, StoredExternalAccountKey } from '#admin';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import type { AcmeAccountRow, ExternalAccountKeyRow, Schema } from '../schema.ts';
import { statement } from '../statement.ts';
import { assertNotRetired } from './devices.ts';
import { append } from './log.ts';

type Act<Name extends keyof AdminStore> = Parameters<AdminStore[Name]>[0];

const insertKey = statement((database, p: Omit<ExternalAccountKeyRow, 'state'>) =>
  database.insertInto('external_account_key').values({
    id: p.id,
    device_id: p.device_id,
    sealed: p.sealed,
    sealing_key: p.sealing_key,
    templates: p.templates,
    names: p.names,
    maximum_certificates: p.maximum_certificates,
    approved_by: p.approved_by,
    state: 'live',
    created_at: p.created_at,
    expires_at: p.expires_at,
    created_by: p.created_by,
  }),
);

const selectKey = statement((database, p: { id: string }) =>
  shownKey(database).where('external_account_key.id', '=', p.id),
);

interface Page {
  readonly afterTime: number;
  readonly afterId: string;
  readonly limit: number;
}

interface KeyPage extends Page {
  readonly state: ExternalAccountKeyRow['state'] | null;
}

const selectKeys = statement((database, p: KeyPage) => keyPage(database, p));

const selectKeysOfDevice = statement((database, p: KeyPage & { readonly deviceId: string }) =>
  keyPage(database, p).where('external_account_key.device_id', '=', p.deviceId),
);

const selectKeysOfMachine = statement((database, p: KeyPage & { readonly by: string }) =>
  keysOfMachine(database, p, p.by),
);

const selectKeysOfMachineAndDevice = statement(
  (database, p: KeyPage & { readonly by: string; readonly deviceId: string }) =>
    keysOfMachine(database, p, p.by).where('external_account_key.device_id', '=', p.deviceId),
);

const voidOne = statement((database, p: { id: string }) =>
  database
    .updateTable('external_account_key')
    .set({ state: 'void' })
    .where('id', '=', p.id)
    .where('state', 'in', ['live', 'spent']),
);

const voidOfDevice = statement((database, p: { deviceId: string }) =>
  database
    .updateTable('external_account_key')
    .set({ state: 'void' })
    .where('device_id', '=', p.deviceId)
    .where('state', 'in', ['live', 'spent']),
);

/** Those that were made without an external account key, by which the others end. */
const endOfDevice = statement((database, p: { deviceId: string }) =>
  database
    .updateTable('acme_account')
    .set({ status: 'revoked' })
    .where('device_id', '=', p.deviceId)
    .where('external_account_key', 'is', null)
    .where('status', '=', 'valid'),
);

const endWithoutKey = statement((database) =>
  database
    .updateTable('acme_account')
    .set({ status: 'revoked' })
    .where('external_account_key', 'is', null)
    .where('status', '=', 'valid'),
);

const voidLiveOfMachine = statement((database, p: { by: string }) =>
  database
    .updateTable('external_account_key')
    .set({ state: 'void' })
    .where('created_by', '=', p.by)
    .where('created_by', '>=', sql.lit('machine:'))
    .where('created_by', '<', sql.lit('machine;'))
    .where('state', '=', 'live'),
);

const voidAll = statement((database) =>
  database.updateTable('external_account_key').set({ state: 'void' }).where('state', 'in', ['live', 'spent']),
);

const selectAccount = statement((database, p: { id: string }) =>
  database.selectFrom('acme_account').select(['status', 'created_at']).where('id', '=', p.id),
);

const selectAccounts = statement((database, p: Page) => accountPage(database, p));

const selectAccountsOfDevice = statement((database, p: Page & { readonly deviceId: string }) =>
  accountPage(database, p).where('acme_account.device_id', '=', p.deviceId),
);

const revoke = statement((database, p: { id: string }) =>
  database
    .updateTable('acme_account')
    .set({ status: 'revoked' })
    .where('id', '=', p.id)
    .where('status', '=', 'valid'),
);

function shownKey(database: Kysely<Schema>) {
  return database
    .selectFrom('external_account_key')
    .leftJoin('acme_account', 'acme_account.external_account_key', 'external_account_key.id')
    .select([
      'external_account_key.id',
      'external_account_key.device_id',
      'sealing_key',
      'templates',
      'names',
    ])
    .select(['maximum_certificates', 'approved_by', 'state', 'expires_at', 'created_by'])
    .select(['external_account_key.created_at', 'acme_account.id as account']);
}

function keyPage(database: Kysely<Schema>, p: KeyPage) {
  return shownKey(database)
    .where((eb) => eb('state', '=', eb.fn.coalesce(eb.val(p.state), eb.ref('state'))))
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('external_account_key.created_at', 'external_account_key.id'),
        '>',
        tuple(p.afterTime, p.afterId),
      ),
    )
    .orderBy('external_account_key.created_at')
    .orderBy('external_account_key.id')
    .limit(p.limit);
}

/** The range of names says what the index says, literally, or the index is not used. */
function keysOfMachine(database: Kysely<Schema>, p: KeyPage, by: string) {
  return keyPage(database, p)
    .where('created_by', '=', by)
    .where('created_by', '>=', sql.lit('machine:'))
    .where('created_by', '<', sql.lit('machine;'));
}

function accountPage(database: Kysely<Schema>, p: Page) {
  return database
    .selectFrom('acme_account')
    .leftJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
    .select(['acme_account.id', 'external_account_key', 'thumbprint', 'contact', 'status'])
    .select([
      'acme_account.created_at',
      'acme_account.device_id',
      'templates',
      'names',
      'maximum_certificates',
    ])
    .select(['approved_by', 'state'])
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('acme_account.created_at', 'acme_account.id'), '>', tuple(p.afterTime, p.afterId)),
    )
    .orderBy('acme_account.created_at')
    .orderBy('acme_account.id')
    .limit(p.limit);
}

export function* createExternalAccountKey(act: Act<'createExternalAccountKey'>): Operation<LogPosition> {
  const { key, entry } = act;
  yield* assertNotRetired(key.deviceId);
  yield* run(insertKey, {
    id: key.id,
    device_id: key.deviceId,
    sealed: key.sealed,
    sealing_key: key.sealingKeyId,
    templates: toJson(key.templates),
    names: key.names === null ? null : toJson(key.names),
    maximum_certificates: key.maximumCertificates,
    approved_by: key.approvedBy,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    created_by: key.by,
  });
  return { index: yield* append(entry) };
}

export function* externalAccountKeys(
  filter: Act<'externalAccountKeys'>,
): Operation<readonly StoredExternalAccountKey[]> {
  const { deviceId } = filter;
  const from = yield* keyPageFrom(filter);
  const rows =
    deviceId === undefined
      ? yield* all(selectKeys, from)
      : yield* all(selectKeysOfDevice, { ...from, deviceId });
  return rows.map(storedKey);
}

export function* externalAccountKeysOfMachine(
  filter: Act<'externalAccountKeysOfMachine'>,
): Operation<readonly StoredExternalAccountKey[]> {
  const { by, deviceId } = filter;
  const from = { ...(yield* keyPageFrom(filter)), by };
  const rows =
    deviceId === undefined
      ? yield* all(selectKeysOfMachine, from)
      : yield* all(selectKeysOfMachineAndDevice, { ...from, deviceId });
  return rows.map(storedKey);
}

export function* externalAccountKeyInfo({ id }: { id: string }): Operation<StoredExternalAccountKey | null> {
  const row = yield* first(selectKey, { id });
  return row === undefined ? null : storedKey(row);
}

export function* voidExternalAccountKey(act: Act<'voidExternalAccountKey'>): Operation<LogPosition> {
  const { id } = act;
  if ((yield* run(voidOne, { id })) !== 1) {
    const found = (yield* first(selectKey, { id })) !== undefined;
    throw found
      ? new SallyportError('conflict', `external account key ${id} is void already`)
      : new SallyportError('not-found', `no external account key has the id ${id}`);
  }
  return { index: yield* append(act.entry) };
}

/** With a spent one its account ends too, and those end that were made without. */
export function* endAccountsOfDevice(deviceId: string): Operation<void> {
  yield* run(voidOfDevice, { deviceId });
  yield* run(endOfDevice, { deviceId });
}

/** Returns how many there were. */
export function* voidLiveExternalAccountKeysOf(by: string): Operation<number> {
  return yield* run(voidLiveOfMachine, { by });
}

/** Of every device, spent ones too. Returns how many there were. */
export function* voidExternalAccountKeys(): Operation<number> {
  return yield* run(voidAll, {});
}

/** Of every device and of nobody. Returns how many there were. */
export function* endAccountsWithoutKey(): Operation<number> {
  return yield* run(endWithoutKey, {});
}

export function* accounts(filter: Act<'accounts'>): Operation<readonly StoredAccountInfo[]> {
  const { deviceId, after, limit } = filter;
  const last = after === undefined ? undefined : yield* first(selectAccount, { id: after });
  const from = { afterTime: last?.created_at ?? -1, afterId: after ?? '', limit };
  const rows =
    deviceId === undefined
      ? yield* all(selectAccounts, from)
      : yield* all(selectAccountsOfDevice, { ...from, deviceId });
  return rows.map((row) => ({
    id: row.id,
    externalAccountKey: row.external_account_key,
    keyState: row.state,
    deviceId: row.device_id,
    templates: row.templates === null ? null : fromJson(row.templates),
    names: row.names === null ? null : fromJson(row.names),
    maximumCertificates: row.maximum_certificates,
    approvedBy: row.approved_by,
    status: row.status,
    thumbprint: row.thumbprint,
    contact: fromJson(row.contact),
    createdAt: row.created_at,
  }));
}

export function* revokeAccount({ id, entry }: Act<'revokeAccount'>): Operation<LogPosition> {
  if ((yield* run(revoke, { id })) !== 1) {
    const row = yield* first(selectAccount, { id });
    if (row === undefined) throw new SallyportError('not-found', `no account has the id ${id}`);
    throw new SallyportError('conflict', `account ${id} is ${row.status} already`);
  }
  return { index: yield* append(entry) };
}

function* keyPageFrom(filter: Act<'externalAccountKeys'>): Operation<KeyPage> {
  const { state = null, after, limit } = filter;
  const last = after === undefined ? undefined : yield* first(selectKey, { id: after });
  return { state, afterTime: last?.created_at ?? -1, afterId: after ?? '', limit };
}

function storedKey(
  row: Omit<ExternalAccountKeyRow, 'sealed'> & { readonly account: AcmeAccountRow['id'] | null },
): StoredExternalAccountKey {
  return {
    id: row.id,
    sealingKeyId: row.sealing_key,
    ...boundsOf(row),
    state: row.state,
    account: row.account,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    by: row.created_by,
  };
}

function boundsOf(
  row: Pick<
    ExternalAccountKeyRow,
    'device_id' | 'templates' | 'names' | 'maximum_certificates' | 'approved_by'
  >,
): AccountBounds {
  return {
    deviceId: row.device_id,
    templates: fromJson(row.templates),
    names: row.names === null ? null : fromJson(row.names),
    maximumCertificates: row.maximum_certificates,
    approvedBy: row.approved_by,
  };
}
