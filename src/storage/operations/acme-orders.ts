import type { AcmeStore, StoredOrder } from '#acme';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run, together } from '../operation.ts';
import type { AcmeOrderRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { authorizationFor, authorizationsOf } from './acme-authorizations.ts';
import { append } from './log.ts';
import { isOver } from './order-over.ts';

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
    // Which isOver asks too; by this the index finds them.
    .where('expires_at', '>', p.now)
    .where('certificate', 'is', null)
    .where('error', 'is', null)
    .where((eb) => eb.not(isOver(eb, p.now)))
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
      // An open one is invalid with one of its authorizations.
      .where((eb) =>
        eb.or([
          eb('certificate', 'is not', null),
          eb('finalized_at', 'is not', null),
          eb.not(
            eb.exists(
              eb
                .selectFrom('acme_order_authorization')
                .innerJoin('acme_authorization', 'acme_authorization.id', 'authorization_id')
                .select('acme_authorization.id')
                .whereRef('order_id', '=', 'acme_order.id')
                .where((inner) =>
                  inner.or([
                    inner('acme_authorization.status', 'in', ['invalid', 'deactivated']),
                    inner('acme_authorization.expires_at', '<=', p.now),
                  ]),
                ),
            ),
          ),
        ]),
      )
      .orderBy('created_at')
      .orderBy('id')
      .limit(p.limit),
);

/** What is over replaces nothing: RFC 9773 section 5 has an order that is invalid not count. */
const release = statement((database, p: { replaces: string; now: number }) =>
  database
    .updateTable('acme_order')
    .set({ replaces: null })
    .where('replaces', '=', p.replaces)
    .where('replaces', 'is not', null)
    .where('error', 'is', null)
    .where((eb) => isOver(eb, p.now)),
);

const fail = statement((database, p: { id: string; error: NonNullable<AcmeOrderRow['error']> }) =>
  database
    .updateTable('acme_order')
    .set({ error: p.error })
    .where('id', '=', p.id)
    .where('certificate', 'is', null)
    .where('error', 'is', null),
);

const deleteOrders = statement((database, p: { before: number }) =>
  database
    .deleteFrom('acme_order')
    .where('expires_at', '<=', p.before)
    .where((eb) =>
      eb.or([
        eb('certificate', 'is', null),
        // One look by its key for each order: a list of all current certificates is none for PostgreSQL to search for each of them.
        eb.not(
          eb.exists(
            eb
              .selectFrom('certificate')
              .select('sha256')
              .whereRef('sha256', '=', 'acme_order.certificate')
              .where('certificate.not_after', '>=', p.before),
          ),
        ),
      ]),
    ),
);

/** Nobody looks for what would count no more. */
const endDue = statement((database, p: { now: number }) =>
  database
    .updateTable('acme_authorization')
    .set({ due_at: null })
    .where('due_at', '<=', p.now)
    .where('due_at', 'is not', null)
    .where('expires_at', '<=', p.now),
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

/** Of whom no evidence ever said whose they are. */
const deleteAccounts = statement((database, p: { before: number }) =>
  database
    .deleteFrom('acme_account')
    .where('created_at', '<=', p.before)
    .where('device_id', 'is', null)
    .where('external_account_key', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('acme_order')
            .select('acme_order.id')
            .whereRef('acme_order.account', '=', 'acme_account.id'),
        ),
      ),
    ),
);

/** Whoever looked at the age of a nonce may have stood still before its use was written down: it must not be taken a second time then. */
const nonceSlackMilliseconds = 60_000;

const deleteNonces = statement((database, p: { before: number }) =>
  database.deleteFrom('acme_nonce').where('expires_at', '<=', p.before),
);

export function* createOrder(act: Act<'createOrder'>): Operation<LogPosition & { order: StoredOrder }> {
  const { id, account, template, identifiers, names, notBefore, notAfter, replaces, now } = act;
  if ((yield* first(selectOpen, { account, now, before: act.maximumOpen - 1 })) !== undefined) {
    throw new SallyportError('conflict', `account ${account} has ${act.maximumOpen} open orders`);
  }
  if (replaces !== null) yield* run(release, { replaces, now });
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
    const asked = { account, template, until: act.reuseUntil, expiresAt: act.proveUntil };
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

export function* forgetNonces({ now }: { now: number }): Operation<void> {
  yield* run(deleteNonces, { before: now - nonceSlackMilliseconds });
}

export function* forgetOrders({ now, over }: Act<'forgetOrders'>): Operation<void> {
  yield* run(endDue, { now });
  yield* run(deleteOrders, { before: over });
  yield* run(deleteAuthorizations, { before: over });
  yield* run(deleteAccounts, { before: over });
}
