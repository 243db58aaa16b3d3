import type { AcmeStore, ExternalAccountKey, StoredAccount } from '#acme';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { first, type Operation, run } from '../operation.ts';
import type { AcmeAccountRow, ExternalAccountKeyRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

type Act<Name extends keyof AcmeStore> = Parameters<AcmeStore[Name]>[0];

const insertNonce = statement((database, p: { nonce: Uint8Array; expiresAt: number }) =>
  database
    .insertInto('acme_nonce')
    .values({ nonce: p.nonce, expires_at: p.expiresAt })
    .onConflict((conflict) => conflict.doNothing()),
);

const selectKey = statement((database, p: { id: string }) =>
  database
    .selectFrom('external_account_key')
    .select(['id', 'device_id', 'sealed', 'sealing_key', 'state', 'expires_at'])
    .where('id', '=', p.id),
);

const spendKey = statement((database, p: { id: string; now: number }) =>
  database
    .updateTable('external_account_key')
    .set({ state: 'spent' })
    .where('id', '=', p.id)
    .where('state', '=', 'live')
    .where('expires_at', '>', p.now),
);

const insertAccount = statement((database, p: AcmeAccountRow) =>
  database.insertInto('acme_account').values({
    id: p.id,
    external_account_key: p.external_account_key,
    device_id: p.device_id,
    thumbprint: p.thumbprint,
    jwk: p.jwk,
    spki: p.spki,
    contact: p.contact,
    status: p.status,
    created_at: p.created_at,
  }),
);

const selectById = statement((database, p: { id: string }) =>
  database
    .selectFrom('acme_account')
    .leftJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
    .selectAll('acme_account')
    .select(['templates', 'names', 'state', 'external_account_key.device_id as key_device'])
    .where('acme_account.id', '=', p.id),
);

const selectByThumbprint = statement((database, p: { thumbprint: string }) =>
  database
    .selectFrom('acme_account')
    .leftJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
    .selectAll('acme_account')
    .select(['templates', 'names', 'state', 'external_account_key.device_id as key_device'])
    .where('thumbprint', '=', p.thumbprint),
);

const selectBySpki = statement((database, p: { spki: string }) =>
  database.selectFrom('acme_account').select('id').where('spki', '=', p.spki).limit(1),
);

const update = statement((database, p: Pick<AcmeAccountRow, 'id' | 'contact' | 'status'>) =>
  database
    .updateTable('acme_account')
    .set({ contact: p.contact, status: p.status })
    .where('id', '=', p.id)
    .where('status', '=', 'valid'),
);

const rekey = statement(
  (database, p: { id: string; oldThumbprint: string; thumbprint: string; jwk: string; spki: string }) =>
    database
      .updateTable('acme_account')
      .set({ thumbprint: p.thumbprint, jwk: p.jwk, spki: p.spki })
      .where('id', '=', p.id)
      .where('thumbprint', '=', p.oldThumbprint)
      .where('status', '=', 'valid'),
);

export function* useNonce(use: { nonce: Uint8Array; expiresAt: number }): Operation<boolean> {
  return (yield* run(insertNonce, use)) === 1;
}

export function* externalAccountKey({ id }: { id: string }): Operation<ExternalAccountKey | null> {
  const row = yield* first(selectKey, { id });
  if (row === undefined) return null;
  return {
    id: row.id,
    device: row.device_id,
    sealed: row.sealed,
    sealingKey: row.sealing_key,
    state: row.state,
    expiresAt: row.expires_at,
  };
}

export function* account({ id }: { id: string }): Operation<StoredAccount | null> {
  const row = yield* first(selectById, { id });
  return row === undefined ? null : accountOf(row);
}

export function* accountByKey({ thumbprint }: { thumbprint: string }): Operation<StoredAccount | null> {
  const row = yield* first(selectByThumbprint, { thumbprint });
  return row === undefined ? null : accountOf(row);
}

export function* isAccountKey({ spki }: { spki: string }): Operation<boolean> {
  return (yield* first(selectBySpki, { spki })) !== undefined;
}

export function* createAccount({ account: made, now, entry }: Act<'createAccount'>): Operation<LogPosition> {
  const { id, externalAccountKey: key, thumbprint, jwk, spki, contact } = made;
  if (key !== null && (yield* run(spendKey, { id: key, now })) !== 1) {
    throw new SallyportError('conflict', `external account key ${key} is not live any more`);
  }
  yield* run(insertAccount, {
    id,
    external_account_key: key,
    device_id: key === null ? null : (yield* first(selectKey, { id: key }))!.device_id,
    thumbprint,
    jwk,
    spki,
    contact: toJson(contact),
    status: 'valid',
    created_at: now,
  });
  return { index: yield* append(entry) };
}

export function* updateAccount(act: Act<'updateAccount'>): Operation<LogPosition> {
  const { id, contact, status, entry } = act;
  if ((yield* run(update, { id, contact: toJson(contact), status })) !== 1) {
    throw new SallyportError('conflict', `account ${id} is not valid any more`);
  }
  return { index: yield* append(entry) };
}

export function* changeAccountKey({ entry, ...act }: Act<'changeAccountKey'>): Operation<LogPosition> {
  if ((yield* run(rekey, act)) !== 1) {
    throw new SallyportError('conflict', `account ${act.id} has another key now, or is not valid any more`);
  }
  return { index: yield* append(entry) };
}

type Key = Pick<ExternalAccountKeyRow, 'templates' | 'names' | 'state'>;
type Row = AcmeAccountRow & { readonly [Column in keyof Key]: Key[Column] | null } & {
  /** An account that a node of an earlier version made has no device of its own. */
  readonly key_device: string | null;
};

function accountOf(row: Row): StoredAccount {
  return {
    id: row.id,
    externalAccountKey: row.external_account_key,
    device: row.device_id ?? row.key_device,
    thumbprint: row.thumbprint,
    jwk: row.jwk,
    spki: row.spki,
    contact: fromJson(row.contact),
    status: row.status,
    createdAt: row.created_at,
    key:
      row.state === null || row.templates === null
        ? null
        : {
            state: row.state,
            templates: fromJson(row.templates),
            names: row.names === null ? null : fromJson(row.names),
          },
  };
}
