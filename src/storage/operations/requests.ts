import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { AdminStore, NewApproval, RequestState, StoredRequest } from '#admin';
import type { NewEntry } from '#audit';
import type { HoldRecord, LogPosition } from '#enrollment';
import type { Objection } from '#policy';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, first, type Operation, run } from '../operation.ts';
import type { RequestRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { openApprovalOfRequest } from './approvals.ts';
import { append } from './log.ts';
import { isSameEvidence } from './same-evidence.ts';
import { voidSecretsReservedFor } from './secrets.ts';

interface Asking {
  readonly id: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly names: string;
  readonly objections: RequestRow['objections'];
  readonly summary: RequestRow['summary'];
  readonly evidence: RequestRow['evidence'];
  readonly now: number;
}

const selectPending = statement((database, p: Asker) =>
  database
    .selectFrom('request')
    .select(['id', 'first_seen', 'names', 'objections', 'evidence'])
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('spki', '=', p.spki)
    .where('state', '=', sql.lit('pending')),
);

const seeAgain = statement(
  (database, p: Pick<Asking, 'objections' | 'summary' | 'now'> & { readonly id: string }) =>
    database
      .updateTable('request')
      .set({ objections: p.objections, summary: p.summary, last_seen: p.now })
      .where('id', '=', p.id),
);

const insertPending = statement((database, p: Asking) =>
  database.insertInto('request').values({
    id: p.id,
    device_id: p.deviceId,
    template: p.template,
    spki: p.spki,
    names: p.names,
    state: 'pending',
    objections: p.objections,
    summary: p.summary,
    evidence: p.evidence,
    first_seen: p.now,
    last_seen: p.now,
  }),
);

interface Asker {
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
}

const endIssued = statement((database, p: Asker) =>
  database
    .updateTable('request')
    .set({ state: 'issued' })
    .where('spki', '=', p.spki)
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('state', 'in', ['pending', 'approved']),
);

/** Who ends a request that no operator decided. */
export const byAuthority = 'authority';

const end = statement((database, p: { id: string; now: number }) =>
  database
    .updateTable('request')
    .set({ state: 'denied', decided_by: byAuthority, decided_at: p.now })
    .where('id', '=', p.id),
);

const endOpen = statement((database, p: { now: number }) =>
  database
    .updateTable('request')
    .set({ state: 'denied', decided_by: byAuthority, decided_at: p.now })
    .where('state', 'in', ['pending', 'approved']),
);

const decide = statement((database, p: { id: string; state: RequestState; by: string; now: number }) =>
  database
    .updateTable('request')
    .set({ state: p.state, decided_by: p.by, decided_at: p.now })
    .where('id', '=', p.id)
    .where('state', '=', 'pending'),
);

const denyOfDevice = statement((database, p: { deviceId: string; now: number }) =>
  database
    .updateTable('request')
    .set({ state: 'denied', decided_at: p.now })
    .where('device_id', '=', p.deviceId)
    .where('state', '=', sql.lit('pending')),
);

const selectRequest = statement((database, p: { id: string }) =>
  database.selectFrom('request').selectAll().where('id', '=', p.id),
);

interface Page {
  readonly state: RequestState | null;
  readonly afterTime: number;
  readonly afterId: string;
  readonly limit: number;
}

const selectPage = statement((database, p: Page) =>
  database
    .selectFrom('request')
    .selectAll()
    .where((eb) => eb('state', '=', eb.fn.coalesce(eb.val(p.state), eb.ref('state'))))
    .where(({ eb, refTuple, tuple }) => eb(refTuple('first_seen', 'id'), '>', tuple(p.afterTime, p.afterId)))
    .orderBy('first_seen')
    .orderBy('id')
    .limit(p.limit),
);

/**
 * The pending request of this device, template and key: opened, or seen again under the id that it has. With other names, other controls that
 * object, or evidence that says something else it is another one, and the earlier one ends: an id stands for what was seen under it.
 */
export function* openRequest(
  record: HoldRecord,
): Operation<{ request: string; firstSeen: number; opened: boolean }> {
  const { requestId: id, deviceId, template, spki, names, now } = record;
  const objections = toJson(record.objections);
  const summary = toJson(record.summary);
  const evidence = record.seen && toJson(record.seen);
  const asking = { id, deviceId, template, spki, names, objections, summary, evidence, now };
  const known = yield* first(selectPending, asking);
  if (
    known !== undefined &&
    known.names === names &&
    sameControls(fromJson(known.objections), record.objections) &&
    isSameEvidence(known.evidence && fromJson(known.evidence), record.seen)
  ) {
    yield* run(seeAgain, { ...asking, id: known.id });
    return { request: known.id, firstSeen: known.first_seen, opened: false };
  }
  if (known !== undefined) yield* run(end, { id: known.id, now });
  yield* run(insertPending, asking);
  return { request: id, firstSeen: now, opened: true };
}

function sameControls(left: readonly Objection[], right: readonly Objection[]): boolean {
  const controls = (objections: readonly Objection[]) =>
    objections
      .map(({ control }) => control)
      .toSorted()
      .join();
  return controls(left) === controls(right);
}

export function* endRequests(asker: Asker): Operation<void> {
  yield* run(endIssued, asker);
}

/** Of every device. Returns how many there were. */
export function* endOpenRequests(now: number): Operation<number> {
  return yield* run(endOpen, { now });
}

export function* denyRequestsOfDevice(deviceId: string, now: number): Operation<void> {
  yield* run(denyOfDevice, { deviceId, now });
}

export function* request({ id }: { id: string }): Operation<StoredRequest | null> {
  const row = yield* first(selectRequest, { id });
  return row === undefined ? null : storedRequest(row);
}

export function* requests(
  filter: Parameters<AdminStore['requests']>[0],
): Operation<readonly StoredRequest[]> {
  const { state = null, after, limit } = filter;
  const last = after === undefined ? undefined : yield* first(selectRequest, { id: after });
  const page = { state, afterTime: last?.first_seen ?? -1, afterId: after ?? '', limit };
  return (yield* all(selectPage, page)).map(storedRequest);
}

/** The names may have changed since the operator looked: an approval for others than the request's now is a conflict. */
export function* approveRequest(act: {
  id: string;
  approval: NewApproval;
  ofEvidence: readonly string[];
  now: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { id, approval, ofEvidence, now, entry } = act;
  const row = yield* pendingRequest(id);
  const same =
    approval.deviceId === row.device_id &&
    approval.template === row.template &&
    approval.spki === row.spki &&
    approval.names === row.names &&
    isDeepStrictEqual(approval.evidence, row.evidence && fromJson(row.evidence));
  if (!same) throw new SallyportError('conflict', `request ${id} has changed: look at it again`);
  yield* run(decide, { id, state: 'approved', by: approval.by, now });
  yield* openApprovalOfRequest(approval, ofEvidence);
  return { index: yield* append(entry) };
}

export function* denyRequest(act: {
  id: string;
  by: string;
  now: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { id, by, now, entry } = act;
  const { device_id: deviceId, template, spki } = yield* pendingRequest(id);
  yield* run(decide, { id, state: 'denied', by, now });
  yield* voidSecretsReservedFor({ deviceId, template, spki });
  return { index: yield* append(entry) };
}

/** One that nobody decided in time, or that was approved and never came for its certificate; and with it the secret that is reserved for it. */
export function* endRequest(act: { id: string; now: number; entry: NewEntry }): Operation<LogPosition> {
  const { id, now, entry } = act;
  const { device_id: deviceId, template, spki } = yield* requestIn(['pending', 'approved'], id);
  yield* run(end, { id, now });
  yield* voidSecretsReservedFor({ deviceId, template, spki });
  return { index: yield* append(entry) };
}

function* pendingRequest(id: string): Operation<RequestRow> {
  return yield* requestIn(['pending'], id);
}

function* requestIn(states: readonly RequestState[], id: string): Operation<RequestRow> {
  const row = yield* first(selectRequest, { id });
  if (row === undefined) throw new SallyportError('not-found', `no request has the id ${id}`);
  if (!states.includes(row.state)) {
    throw new SallyportError('conflict', `request ${id} is ${row.state} already`);
  }
  return row;
}

function storedRequest(row: RequestRow): StoredRequest {
  return {
    id: row.id,
    deviceId: row.device_id,
    template: row.template,
    spki: row.spki,
    names: row.names,
    state: row.state,
    objections: fromJson(row.objections),
    summary: fromJson(row.summary),
    evidence: row.evidence && fromJson(row.evidence),
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
  };
}
