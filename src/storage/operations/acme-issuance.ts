import type { ExpressionBuilder } from 'kysely';
import type { HoldRecord, KeptOrder, OrderObservation } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson } from '../json-text.ts';
import { first, type Operation, run, together } from '../operation.ts';
import type { Schema } from '../schema.ts';
import { statement } from '../statement.ts';
import { authorizationsOf } from './acme-authorizations.ts';

/* What becomes of an order while a certificate is decided about and issued. */

interface FinishedOrder {
  readonly intent: string;
  readonly certificate: string;
  readonly spki: string;
  /** Of the entry that is appended for it. */
  readonly place: number;
  readonly now: number;
}

const selectHeld = statement((database, p: { order: string }) =>
  database
    .selectFrom('acme_order')
    .innerJoin('blob', (join) =>
      join.onRef('blob.log_idx', '=', 'acme_order.log_idx').onRef('blob.address', '=', 'acme_order.address'),
    )
    .select('blob.bytes')
    .where('acme_order.id', '=', p.order),
);

const selectForObserving = statement((database, p: { id: string; account: string; now: number }) =>
  database
    .selectFrom('acme_order')
    .innerJoin('acme_account', 'acme_account.id', 'acme_order.account')
    .leftJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
    .leftJoin('certificate', (join) =>
      join
        .onRef('certificate.sha256', '=', 'acme_order.certificate')
        .on('certificate.revoked_at', 'is', null)
        .on('certificate.not_after', '>=', p.now),
    )
    .selectAll('acme_order')
    .select(['acme_account.status', 'external_account_key.id as key_id', 'external_account_key.state'])
    .select(['external_account_key.templates', 'external_account_key.names as given', 'approved_by'])
    .select(['maximum_certificates', 'certificate.sha256 as current'])
    // An account that a node of an earlier version made has no device of its own.
    .select(({ fn }) =>
      fn.coalesce('acme_account.device_id', 'external_account_key.device_id').as('device_id'),
    )
    .where('acme_order.id', '=', p.id)
    .where('acme_order.account', '=', p.account),
);

/** An open intent counts as the certificate that it is about to be. */
const countOtherNames = statement((database, p: { account: string; names: string; now: number }) =>
  database
    .selectFrom('acme_order')
    .leftJoin('certificate', (join) =>
      join
        .onRef('certificate.sha256', '=', 'acme_order.certificate')
        .on('certificate.revoked_at', 'is', null)
        .on('certificate.not_after', '>=', p.now),
    )
    .leftJoin('intent', 'intent.id', 'acme_order.intent')
    .select((eb) => eb.fn.count<number>('acme_order.names').distinct().as('count'))
    .where('acme_order.account', '=', p.account)
    .where('acme_order.names', '<>', p.names)
    .where((eb) => eb.or([eb('certificate.sha256', 'is not', null), eb('intent.id', 'is not', null)])),
);

const selectBound = statement((database, p: { id: string }) =>
  database
    .selectFrom('acme_order')
    .innerJoin('acme_account', 'acme_account.id', 'acme_order.account')
    .leftJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
    .select(['acme_order.account', 'acme_order.names', 'maximum_certificates as maximum'])
    .where('acme_order.id', '=', p.id),
);

/** What its account may, and what it proved, is as when it was looked at, or nothing is signed. */
const take = statement((database, p: { id: string; intent: string }) =>
  database
    .updateTable('acme_order')
    .set({ intent: p.intent })
    .where('id', '=', p.id)
    .where('certificate', 'is', null)
    .where('error', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom('intent').select('intent.id').whereRef('intent.id', '=', 'acme_order.intent'),
        ),
      ),
    )
    .where(isOfAccountWithPower)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('acme_order_authorization')
            .innerJoin('acme_authorization', 'acme_authorization.id', 'authorization_id')
            .select('acme_authorization.id')
            .whereRef('order_id', '=', 'acme_order.id')
            .where('acme_authorization.status', '<>', 'valid'),
        ),
      ),
    ),
);

const finish = statement((database, p: FinishedOrder & { id: string; address: Uint8Array }) =>
  database
    .updateTable('acme_order')
    .set((eb) => ({
      certificate: p.certificate,
      spki: p.spki,
      log_idx: p.place,
      address: p.address,
      finalized_at: eb.fn.coalesce('finalized_at', eb.val(p.now)),
    }))
    .where('id', '=', p.id)
    .where('intent', '=', p.intent)
    .where('certificate', 'is', null)
    .where('error', 'is', null)
    // What was ended between reserving and here gets nothing.
    .where(isOfAccountWithPower),
);

const keepHeld = statement(
  (database, p: { id: string; spki: string; place: number; address: Uint8Array; now: number }) =>
    database
      .updateTable('acme_order')
      .set((eb) => ({
        spki: p.spki,
        log_idx: p.place,
        address: p.address,
        finalized_at: eb.fn.coalesce('finalized_at', eb.val(p.now)),
      }))
      .where('id', '=', p.id)
      .where('certificate', 'is', null)
      .where('error', 'is', null)
      .where((eb) => eb.or([eb('spki', 'is', null), eb('spki', '=', p.spki)])),
);

function isOfAccountWithPower(eb: ExpressionBuilder<Schema, 'acme_order'>) {
  return eb.exists(
    eb
      .selectFrom('acme_account')
      .leftJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
      .select('acme_account.id')
      .whereRef('acme_account.id', '=', 'acme_order.account')
      .where('acme_account.status', '=', 'valid')
      .where((inner) =>
        inner.or([
          inner('acme_account.external_account_key', 'is', null),
          inner('external_account_key.state', '=', 'spent'),
        ]),
      ),
  );
}

export function* heldRequest(query: { order: string }): Operation<Uint8Array | null> {
  return (yield* first(selectHeld, query))?.bytes ?? null;
}

/** For the layers, with its device. */
export function* observeOrder(query: {
  order: { readonly id: string; readonly account: string } | null;
  now: number;
}): Operation<{ readonly order: OrderObservation; readonly deviceId: string | null } | null> {
  if (query.order === null) return null;
  const { order: asked, now } = query;
  const [row, authorizations] = yield* together(
    first(selectForObserving, { ...asked, now }),
    authorizationsOf(asked.id),
  );
  if (row === undefined) return null;
  const { account } = asked;
  const otherNames =
    row.maximum_certificates === null ? 0 : yield* countOf({ account, names: row.names, now });
  return {
    deviceId: row.device_id,
    order: {
      id: row.id,
      account: { id: row.account, status: row.status },
      key:
        row.key_id === null || row.state === null || row.templates === null
          ? null
          : {
              id: row.key_id,
              state: row.state,
              templates: fromJson(row.templates),
              names: row.given === null ? null : fromJson(row.given),
              maximumCertificates: row.maximum_certificates,
              approvedBy: row.approved_by,
            },
      template: row.template,
      identifiers: fromJson(row.identifiers),
      authorizations: authorizations.map(
        ({ id, type, value, wildcard, status, method, validatedAt, expiresAt }) => ({
          id,
          type,
          value,
          wildcard,
          status,
          method,
          validatedAt,
          expiresAt,
        }),
      ),
      notBefore: row.not_before,
      notAfter: row.not_after,
      expiresAt: row.expires_at,
      finalizedAt: row.finalized_at,
      finalizedSpki: row.spki,
      failed: row.error !== null || row.current !== row.certificate,
      certificate: row.current,
      otherNames,
    },
  };
}

/** Throws 'conflict' where it has a certificate, another open intent, or what its account may or proved has changed. */
export function* takeOrder(id: string, intent: string, now: number): Operation<void> {
  if ((yield* run(take, { id, intent })) !== 1) {
    throw new SallyportError('conflict', `order ${id} is not what it was`);
  }
  const { account, names, maximum } = (yield* first(selectBound, { id }))!;
  if (maximum === null || (yield* countOf({ account, names, now })) < maximum) return;
  throw new SallyportError('conflict', `account ${account} has as many other sets of names as it may`);
}

function* countOf(asked: { account: string; names: string; now: number }): Operation<number> {
  return (yield* first(countOtherNames, asked))?.count ?? 0;
}

export function* finishOrder({ id, address }: KeptOrder, act: FinishedOrder): Operation<void> {
  if ((yield* run(finish, { ...act, id, address })) === 1) return;
  throw new SallyportError(
    'conflict',
    `order ${id} has got its certificate meanwhile, or its account has ended`,
  );
}

/** `place`: of the entry that was appended for it. */
export function* holdOrder({ order: held, spki, now }: HoldRecord, place: number): Operation<void> {
  if (held === null) return;
  if ((yield* run(keepHeld, { id: held.id, address: held.address, spki, place, now })) === 1) return;
  throw new SallyportError('conflict', `order ${held.id} is not open for this request`);
}
