import type { AcmeStore, OrderedCertificate, StoredOrder } from '#acme';
import type { HoldRecord, LogPosition, OrderObservation } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run, together } from '../operation.ts';
import type { AcmeOrderRow, CertificateRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { authorizationFor, authorizationsOf } from './acme-authorizations.ts';
import { append } from './log.ts';

type Act<Name extends keyof AcmeStore> = Parameters<AcmeStore[Name]>[0];

const insert = statement(
  (
    database,
    p: Omit<
      AcmeOrderRow,
      'intent' | 'finalized_at' | 'spki' | 'log_idx' | 'address' | 'error' | 'certificate'
    >,
  ) =>
    database.insertInto('acme_order').values({
      id: p.id,
      account: p.account,
      template: p.template,
      identifiers: p.identifiers,
      names: p.names,
      not_before: p.not_before,
      not_after: p.not_after,
      replaces: p.replaces,
      created_at: p.created_at,
      expires_at: p.expires_at,
    }),
);

const insertAuthorization = statement(
  (database, p: { order: string; position: number; authorization: string }) =>
    database
      .insertInto('acme_order_authorization')
      .values({ order_id: p.order, position: p.position, authorization_id: p.authorization }),
);

/** Whether there are so many open ones. */
const selectOpen = statement((database, p: { account: string; now: number; before: number }) =>
  database
    .selectFrom('acme_order')
    .select('id')
    .where('account', '=', p.account)
    .where('expires_at', '>', p.now)
    .where('certificate', 'is', null)
    .where('error', 'is', null)
    .limit(1)
    .offset(p.before),
);

const select = statement((database, p: { id: string }) =>
  database
    .selectFrom('acme_order')
    .leftJoin('certificate', 'certificate.sha256', 'acme_order.certificate')
    .selectAll('acme_order')
    .select(['undelivered', 'revoked_at'])
    .where('id', '=', p.id),
);

const selectOfAccount = statement(
  (database, p: { account: string; createdAt: number; after: string; now: number; limit: number }) =>
    database
      .selectFrom('acme_order')
      .select('id')
      .where('account', '=', p.account)
      .where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '>', tuple(p.createdAt, p.after)))
      .where('expires_at', '>', p.now)
      .where('error', 'is', null)
      .orderBy('created_at')
      .orderBy('id')
      .limit(p.limit),
);

const fail = statement((database, p: { id: string; error: NonNullable<AcmeOrderRow['error']> }) =>
  database
    .updateTable('acme_order')
    .set({ error: p.error })
    .where('id', '=', p.id)
    .where('certificate', 'is', null)
    .where('error', 'is', null),
);

const selectPredecessor = statement(
  (database, p: { account: string; template: string; names: string; now: number }) =>
    database
      .selectFrom('acme_order')
      .innerJoin('certificate', 'certificate.sha256', 'acme_order.certificate')
      .select(['certificate.der', 'certificate.log_idx'])
      .where('acme_order.account', '=', p.account)
      .where('acme_order.names', '=', p.names)
      .where('acme_order.certificate', 'is not', null)
      .where('certificate.template', '=', p.template)
      .where('certificate.revoked_at', 'is', null)
      .where('certificate.not_after', '>=', p.now)
      .orderBy('certificate.log_idx', 'desc')
      .limit(1),
);

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
    .innerJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
    .leftJoin('certificate', (join) =>
      join
        .onRef('certificate.sha256', '=', 'acme_order.certificate')
        .on('certificate.revoked_at', 'is', null)
        .on('certificate.not_after', '>=', p.now),
    )
    .selectAll('acme_order')
    .select(['acme_account.status', 'external_account_key.id as key_id', 'external_account_key.state'])
    .select(['external_account_key.templates', 'external_account_key.names as given', 'approved_by'])
    .select(['maximum_certificates', 'external_account_key.device_id', 'certificate.sha256 as current'])
    .where('acme_order.id', '=', p.id)
    .where('acme_order.account', '=', p.account),
);

const countOtherNames = statement((database, p: { account: string; names: string; now: number }) =>
  database
    .selectFrom('acme_order')
    .innerJoin('certificate', 'certificate.sha256', 'acme_order.certificate')
    .select((eb) => eb.fn.count<number>('acme_order.names').distinct().as('count'))
    .where('acme_order.account', '=', p.account)
    .where('acme_order.names', '<>', p.names)
    .where('acme_order.certificate', 'is not', null)
    .where('certificate.revoked_at', 'is', null)
    .where('certificate.not_after', '>=', p.now),
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
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('acme_account')
          .innerJoin('external_account_key', 'external_account_key.id', 'acme_account.external_account_key')
          .select('acme_account.id')
          .whereRef('acme_account.id', '=', 'acme_order.account')
          .where('acme_account.status', '=', 'valid')
          .where('external_account_key.state', '=', 'spent'),
      ),
    )
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

const finish = statement(
  (database, p: { id: string; intent: string; certificate: string; spki: string; now: number }) =>
    database
      .updateTable('acme_order')
      .set((eb) => ({
        certificate: p.certificate,
        spki: p.spki,
        finalized_at: eb.fn.coalesce('finalized_at', eb.val(p.now)),
      }))
      .where('id', '=', p.id)
      .where('intent', '=', p.intent)
      .where('certificate', 'is', null)
      .where('error', 'is', null),
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

const orderedColumns = [
  'sha256',
  'issuer',
  'der',
  'certificate.template',
  'device_id',
  'certificate.not_before',
] as const;

const selectCertificate = statement((database, p: { sha256: string }) =>
  database
    .selectFrom('certificate')
    .leftJoin('acme_order', 'acme_order.certificate', 'certificate.sha256')
    .select(orderedColumns)
    .select(['certificate.not_after', 'revoked_at', 'undelivered', 'acme_order.account'])
    .where('certificate.sha256', '=', p.sha256),
);

const selectCertificateBySerial = statement((database, p: { issuer: string; serialNumber: string }) =>
  database
    .selectFrom('certificate')
    .leftJoin('acme_order', 'acme_order.certificate', 'certificate.sha256')
    .select(orderedColumns)
    .select(['certificate.not_after', 'revoked_at', 'undelivered', 'acme_order.account'])
    .where('certificate.issuer', '=', p.issuer)
    .where('certificate.serial_number', '=', p.serialNumber),
);

/** In the words of the index. */
const selectReplacing = statement((database, p: { sha256: string }) =>
  database
    .selectFrom('acme_order')
    .select('id')
    .where('replaces', '=', p.sha256)
    .where('replaces', 'is not', null)
    .where('error', 'is', null)
    .limit(1),
);

const deleteOrders = statement((database, p: { before: number }) =>
  database
    .deleteFrom('acme_order')
    .where('expires_at', '<=', p.before)
    .where((eb) =>
      eb.or([
        eb('certificate', 'is', null),
        eb(
          'certificate',
          'not in',
          eb.selectFrom('certificate').select('sha256').where('not_after', '>=', p.before),
        ),
      ]),
    ),
);

const deleteAuthorizations = statement((database, p: { before: number }) =>
  database
    .deleteFrom('acme_authorization')
    .where('expires_at', '<=', p.before)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('acme_order_authorization')
            .select('order_id')
            .whereRef('authorization_id', '=', 'acme_authorization.id'),
        ),
      ),
    ),
);

const deleteNonces = statement((database, p: { before: number }) =>
  database.deleteFrom('acme_nonce').where('expires_at', '<=', p.before),
);

export function* createOrder(act: Act<'createOrder'>): Operation<LogPosition & { order: StoredOrder }> {
  const { id, account, template, identifiers, names, notBefore, notAfter, replaces, now } = act;
  if ((yield* first(selectOpen, { account, now, before: act.maximumOpen - 1 })) !== undefined) {
    throw new SallyportError('conflict', `account ${account} has ${act.maximumOpen} open orders`);
  }
  yield* run(insert, {
    id,
    account,
    template,
    identifiers: toJson(identifiers),
    names,
    not_before: notBefore,
    not_after: notAfter,
    replaces,
    created_at: now,
    expires_at: act.expiresAt,
  });
  for (const [position, wanted] of act.wanted.entries()) {
    const asked = { account, template, until: act.reuseUntil, expiresAt: act.expiresAt };
    const authorization = yield* authorizationFor(wanted, asked);
    yield* run(insertAuthorization, { order: id, position, authorization });
  }
  const index = yield* append(act.entry);
  return { index, order: (yield* order({ id }))! };
}

export function* order({ id }: { id: string }): Operation<StoredOrder | null> {
  const [row, authorizations] = yield* together(first(select, { id }), authorizationsOf(id));
  if (row === undefined) return null;
  return {
    id: row.id,
    account: row.account,
    template: row.template,
    identifiers: fromJson(row.identifiers),
    names: row.names,
    notBefore: row.not_before,
    notAfter: row.not_after,
    replaces: row.replaces,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    finalizedAt: row.finalized_at,
    error: row.error === null ? null : fromJson(row.error),
    certificate: row.certificate,
    undelivered: row.undelivered !== null,
    withdrawn: row.undelivered !== null && row.revoked_at !== null,
    authorizations,
  };
}

export function* ordersOf(query: Act<'ordersOf'>): Operation<readonly string[]> {
  const { account, after, now, limit } = query;
  const last = after === null ? undefined : yield* first(select, { id: after });
  const from = { account, now, limit, createdAt: last?.created_at ?? -1, after: last?.id ?? '' };
  return (yield* all(selectOfAccount, from)).map(({ id }) => id);
}

export function* failOrder({ id, problem }: Act<'failOrder'>): Operation<void> {
  yield* run(fail, { id, error: toJson(problem) });
}

export function* predecessor(query: Act<'predecessor'>): Operation<Uint8Array | null> {
  const row = yield* first(selectPredecessor, query);
  return row === undefined || row.der.length === 0 ? null : row.der;
}

export function* heldRequest(query: { order: string }): Operation<Uint8Array | null> {
  return (yield* first(selectHeld, query))?.bytes ?? null;
}

/** For the layers, with its device. */
export function* observeOrder(query: {
  order: { readonly id: string; readonly account: string } | null;
  now: number;
}): Operation<{ readonly order: OrderObservation; readonly deviceId: string } | null> {
  if (query.order === null) return null;
  const { order: asked, now } = query;
  const [row, authorizations] = yield* together(
    first(selectForObserving, { ...asked, now }),
    authorizationsOf(asked.id),
  );
  if (row === undefined) return null;
  const counted =
    row.maximum_certificates === null
      ? undefined
      : yield* first(countOtherNames, { account: asked.account, names: row.names, now });
  return {
    deviceId: row.device_id,
    order: {
      id: row.id,
      account: { id: row.account, status: row.status },
      key: {
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
        ({ type, value, wildcard, status, method, validatedAt, expiresAt }) => ({
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
      otherNames: counted?.count ?? 0,
    },
  };
}

/** Throws 'conflict' where it has a certificate, another open intent, or what its account may or proved has changed. */
export function* takeOrder(id: string, intent: string): Operation<void> {
  if ((yield* run(take, { id, intent })) === 1) return;
  throw new SallyportError('conflict', `order ${id} is not what it was`);
}

export function* finishOrder(
  id: string,
  act: { intent: string; certificate: string; spki: string; now: number },
): Operation<void> {
  if ((yield* run(finish, { ...act, id })) === 1) return;
  throw new SallyportError('conflict', `order ${id} has got its certificate meanwhile`);
}

/** `place`: of the entry that was appended for it. */
export function* holdOrder({ order: held, spki, now }: HoldRecord, place: number): Operation<void> {
  if (held === null) return;
  if ((yield* run(keepHeld, { id: held.id, address: held.address, spki, place, now })) === 1) return;
  throw new SallyportError('conflict', `order ${held.id} is not open for this request`);
}

export function* orderedCertificate(query: Act<'certificate'>): Operation<OrderedCertificate | null> {
  const row =
    'sha256' in query
      ? yield* first(selectCertificate, query)
      : yield* first(selectCertificateBySerial, query);
  if (row === undefined || row.der.length === 0) return null;
  const replacing = yield* first(selectReplacing, { sha256: row.sha256 });
  return { ...certificateOf(row), isReplaced: replacing !== undefined };
}

export function* forgetAcme({ now, over }: Act<'forget'>): Operation<void> {
  yield* run(deleteNonces, { before: now });
  yield* run(deleteOrders, { before: over });
  yield* run(deleteAuthorizations, { before: over });
}

function certificateOf(
  row: Pick<
    CertificateRow,
    | 'sha256'
    | 'issuer'
    | 'der'
    | 'template'
    | 'device_id'
    | 'not_before'
    | 'not_after'
    | 'revoked_at'
    | 'undelivered'
  > & { readonly account: string | null },
): Omit<OrderedCertificate, 'isReplaced'> {
  return {
    sha256: row.sha256,
    issuer: row.issuer,
    der: row.der,
    template: row.template,
    device: row.device_id,
    notBefore: row.not_before,
    notAfter: row.not_after,
    revokedAt: row.revoked_at,
    undelivered: row.undelivered !== null,
    account: row.account,
  };
}
