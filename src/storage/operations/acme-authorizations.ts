import { sql } from 'kysely';
import type { AcmeStore, StoredAuthorization, WantedAuthorization } from '#acme';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import type { AcmeAuthorizationRow, AcmeOrderRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { append } from './log.ts';

type Act<Name extends keyof AcmeStore> = Parameters<AcmeStore[Name]>[0];

/** In the words of the index of valid ones. */
const selectValid = statement(
  (
    database,
    p: { account: string; type: string; value: string; wildcard: number; template: string; until: number },
  ) =>
    database
      .selectFrom('acme_authorization')
      .select('id')
      .where('account', '=', p.account)
      .where('value', '=', p.value)
      .where('template', '=', p.template)
      .where('expires_at', '>', p.until)
      .where('type', '=', p.type as 'dns')
      .where('wildcard', '=', p.wildcard)
      .where('status', '=', sql.lit('valid'))
      .orderBy('expires_at', 'desc')
      .limit(1),
);

/** Whatever the template: who may revoke. */
const selectValidOfAny = statement(
  (database, p: { account: string; type: string; value: string; wildcard: number; now: number }) =>
    database
      .selectFrom('acme_authorization')
      .select('id')
      .where('account', '=', p.account)
      .where('value', '=', p.value)
      .where('expires_at', '>', p.now)
      .where('type', '=', p.type as 'dns')
      .where('wildcard', '=', p.wildcard)
      .where('status', '=', sql.lit('valid'))
      .limit(1),
);

const insert = statement(
  (
    database,
    p: Pick<AcmeAuthorizationRow, 'id' | 'account' | 'template' | 'type' | 'value' | 'wildcard' | 'token'> & {
      expiresAt: number;
    },
  ) =>
    database.insertInto('acme_authorization').values({
      id: p.id,
      account: p.account,
      template: p.template,
      type: p.type,
      value: p.value,
      wildcard: p.wildcard,
      token: p.token,
      status: 'pending',
      tries: 0,
      expires_at: p.expiresAt,
    }),
);

const select = statement((database, p: { id: string }) =>
  database.selectFrom('acme_authorization').selectAll().where('id', '=', p.id),
);

const selectOfOrder = statement((database, p: { order: string }) =>
  database
    .selectFrom('acme_order_authorization')
    .innerJoin('acme_authorization', 'acme_authorization.id', 'acme_order_authorization.authorization_id')
    .selectAll('acme_authorization')
    .where('order_id', '=', p.order)
    .orderBy('position'),
);

const answer = statement(
  (database, p: { id: string; method: string; request: string; dueAt: number; now: number }) =>
    database
      .updateTable('acme_authorization')
      .set({ method: p.method, request: p.request, due_at: p.dueAt })
      .where('id', '=', p.id)
      .where('status', '=', 'pending')
      .where('method', 'is', null)
      .where('expires_at', '>', p.now),
);

const attest = statement(
  (
    database,
    p: Pick<
      AcmeAuthorizationRow,
      'id' | 'method' | 'request' | 'status' | 'error' | 'validated_at' | 'expires_at' | 'evidence'
    > & { now: number },
  ) =>
    database
      .updateTable('acme_authorization')
      .set({
        method: p.method,
        request: p.request,
        status: p.status,
        error: p.error,
        validated_at: p.validated_at,
        expires_at: p.expires_at,
        evidence: p.evidence,
      })
      .where('id', '=', p.id)
      .where('status', '=', 'pending')
      .where('method', 'is', null)
      .where('expires_at', '>', p.now),
);

/** Nobody's so far. A retired device gets no more of them. */
const own = statement((database, p: { account: string; device: string }) =>
  database
    .updateTable('acme_account')
    .set({ device_id: p.device })
    .where('id', '=', p.account)
    .where('device_id', 'is', null)
    .where('external_account_key', 'is', null)
    .where('status', '=', 'valid')
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('device')
          .select('device.id')
          .where('device.id', '=', p.device)
          .where('state', '<>', 'retired'),
      ),
    ),
);

const selectOwner = statement((database, p: { account: string }) =>
  database.selectFrom('acme_account').select(['device_id', 'status']).where('id', '=', p.account),
);

const takeOne = statement((database, p: { id: string; dueAt: number; now: number }) =>
  database
    .updateTable('acme_authorization')
    .set((eb) => ({ due_at: p.dueAt, tries: eb('tries', '+', 1) }))
    .where('id', '=', p.id)
    .where('due_at', '<=', p.now),
);

const selectDue = statement((database, p: { now: number; limit: number }) =>
  database
    .selectFrom('acme_authorization')
    .selectAll()
    .where('due_at', '<=', p.now)
    .where('due_at', 'is not', null)
    .where('expires_at', '>', p.now)
    .orderBy('due_at')
    .limit(p.limit),
);

const end = statement(
  (
    database,
    p: Pick<AcmeAuthorizationRow, 'id' | 'status' | 'error' | 'validated_at' | 'expires_at'> & {
      now: number;
    },
  ) =>
    database
      .updateTable('acme_authorization')
      .set({
        status: p.status,
        error: p.error,
        validated_at: p.validated_at,
        expires_at: p.expires_at,
        due_at: null,
      })
      .where('id', '=', p.id)
      .where('status', '=', 'pending')
      .where('method', 'is not', null)
      .where('expires_at', '>', p.now),
);

/** Nothing comes of an order any more whose identifier is not proven, and never will be by this. */
const failOrders = statement((database, p: { id: string; error: NonNullable<AcmeOrderRow['error']> }) =>
  database
    .updateTable('acme_order')
    .set({ error: p.error })
    .where('id', 'in', (eb) =>
      eb.selectFrom('acme_order_authorization').select('order_id').where('authorization_id', '=', p.id),
    )
    .where('certificate', 'is', null)
    .where('error', 'is', null),
);

const deactivate = statement((database, p: { id: string }) =>
  database
    .updateTable('acme_authorization')
    .set({ status: 'deactivated', due_at: null })
    .where('id', '=', p.id)
    .where('status', 'in', ['pending', 'valid']),
);

/** The id of one that counts until then, or of the new one. */
export function* authorizationFor(
  wanted: WantedAuthorization,
  asked: { account: string; template: string; until: number | null; expiresAt: number },
): Operation<string> {
  const { account, template, until, expiresAt } = asked;
  const { id, type, value, token } = wanted;
  const wildcard = Number(wanted.wildcard);
  const valid =
    until === null
      ? undefined
      : yield* first(selectValid, { account, template, type, value, wildcard, until });
  if (valid !== undefined) return valid.id;
  yield* run(insert, { id, account, template, type, value, wildcard, token, expiresAt });
  return id;
}

export function* authorizationsOf(order: string): Operation<readonly StoredAuthorization[]> {
  return (yield* all(selectOfOrder, { order })).map(stored);
}

export function* authorization({ id }: { id: string }): Operation<StoredAuthorization | null> {
  const row = yield* first(select, { id });
  return row === undefined ? null : stored(row);
}

export function* respond({ entry, ...act }: Act<'respond'>): Operation<LogPosition> {
  if ((yield* run(answer, act)) !== 1) {
    throw new SallyportError('conflict', `authorization ${act.id} waits for no answer any more`);
  }
  return { index: yield* append(entry) };
}

/** Answer and proof at once: evidence comes with the answer, and nothing is looked for. */
export function* attested(act: Act<'attested'>): Operation<LogPosition> {
  const { id, method, request, problem, expiresAt, evidence, owner, now, entries } = act;
  const done = yield* run(attest, {
    id,
    method,
    request,
    status: problem === null ? 'valid' : 'invalid',
    error: problem === null ? null : toJson(problem),
    validated_at: problem === null ? now : null,
    expires_at: expiresAt,
    evidence: evidence === null ? null : toJson(evidence),
    now,
  });
  if (done !== 1) throw new SallyportError('conflict', `authorization ${id} waits for no answer any more`);
  if (owner !== null) yield* giveTo(owner);
  if (problem !== null) yield* run(failOrders, { id, error: toJson(problem) });
  const index = yield* append(entries[0]);
  for (const entry of entries.slice(1)) yield* append(entry);
  return { index };
}

/** Throws 'forbidden' where the account is another's, or has ended, or the device has. */
function* giveTo(owner: { account: string; device: string }): Operation<void> {
  if ((yield* run(own, owner)) === 1) return;
  const row = yield* first(selectOwner, { account: owner.account });
  if (row?.device_id === owner.device && row.status === 'valid') return;
  const words = `account ${owner.account} is another device's meanwhile, or has ended, or device ${owner.device} has`;
  throw new SallyportError('forbidden', words);
}

export function* takeDue(act: Act<'takeDue'>): Operation<boolean> {
  return (yield* run(takeOne, act)) === 1;
}

export function* dueAuthorizations(query: {
  now: number;
  limit: number;
}): Operation<readonly StoredAuthorization[]> {
  return (yield* all(selectDue, query)).map(stored);
}

export function* validated(act: Act<'validated'>): Operation<LogPosition> {
  const { id, problem, expiresAt, now, entry } = act;
  const ended = yield* run(end, {
    id,
    status: problem === null ? 'valid' : 'invalid',
    error: problem === null ? null : toJson(problem),
    validated_at: problem === null ? now : null,
    expires_at: expiresAt,
    now,
  });
  if (ended !== 1) throw new SallyportError('conflict', `authorization ${id} is over`);
  if (problem !== null) yield* run(failOrders, { id, error: toJson(problem) });
  return { index: yield* append(entry) };
}

export function* deactivateAuthorization(act: Act<'deactivateAuthorization'>): Operation<LogPosition> {
  if ((yield* run(deactivate, { id: act.id })) !== 1) {
    throw new SallyportError('conflict', `authorization ${act.id} is over`);
  }
  yield* run(failOrders, { id: act.id, error: toJson(act.problem) });
  return { index: yield* append(act.entry) };
}

export function* isAuthorized(query: Act<'isAuthorized'>): Operation<boolean> {
  const { account, wanted, now } = query;
  for (const { type, value, wildcard } of wanted) {
    const asked = { account, type, value, wildcard: Number(wildcard), now };
    if ((yield* first(selectValidOfAny, asked)) === undefined) return false;
  }
  return wanted.length > 0;
}

function stored(row: AcmeAuthorizationRow): StoredAuthorization {
  return {
    id: row.id,
    account: row.account,
    template: row.template,
    type: row.type,
    value: row.value,
    wildcard: row.wildcard === 1,
    token: row.token,
    status: row.status,
    method: row.method,
    request: row.request,
    tries: row.tries,
    error: row.error === null ? null : fromJson(row.error),
    validatedAt: row.validated_at,
    expiresAt: row.expires_at,
    evidence: row.evidence === null ? null : fromJson(row.evidence),
  };
}
