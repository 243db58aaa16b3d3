import type { NewApproval } from '#admin';
import type { NewEntry } from '#audit';
import type { LogPosition } from '#enrollment';
import { SallyportError } from '#errors';
import { fromJson, toJson } from '../json-text.ts';
import { all, type Operation, run } from '../operation.ts';
import type { ApprovalRow } from '../schema.ts';
import { statement } from '../statement.ts';
import { assertNotRetired } from './devices.ts';
import { append } from './log.ts';
import { isSameEvidence } from './same-evidence.ts';

const insertApproval = statement(
  (database, p: Omit<NewApproval, 'lifts' | 'evidence'> & Pick<ApprovalRow, 'lifts' | 'evidence'>) =>
    database.insertInto('approval').values({
      id: p.id,
      device_id: p.deviceId,
      template: p.template,
      spki: p.spki,
      names: p.names,
      lifts: p.lifts,
      evidence: p.evidence,
      state: 'open',
      created_by: p.by,
      created_at: p.createdAt,
      expires_at: p.expiresAt,
    }),
);

interface Taking {
  readonly id: string;
  readonly intentId: string;
  readonly deviceId: string;
  readonly template: string;
  readonly spki: string;
  readonly now: number;
}

const takeOpen = statement((database, p: Taking) =>
  database
    .updateTable('approval')
    .set({ state: 'taken', intent_id: p.intentId })
    .where('id', '=', p.id)
    .where('state', '=', 'open')
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where((eb) => eb.or([eb('spki', '=', p.spki), eb('spki', 'is', null)]))
    .where('expires_at', '>', p.now),
);

const useTaken = statement((database, p: { id: string; intentId: string }) =>
  database
    .updateTable('approval')
    .set({ state: 'used' })
    .where('id', '=', p.id)
    .where('state', '=', 'taken')
    .where('intent_id', '=', p.intentId),
);

const freeTaken = statement((database, p: { id: string; intentId: string }) =>
  database
    .updateTable('approval')
    .set({ state: 'open', intent_id: null })
    .where('id', '=', p.id)
    .where('state', '=', 'taken')
    .where('intent_id', '=', p.intentId),
);

const voidOpenBeforehand = statement((database, p: { deviceId: string; template: string }) =>
  database
    .updateTable('approval')
    .set({ state: 'void' })
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('state', '=', 'open')
    .where('spki', 'is', null),
);

type Fitting = Pick<NewApproval, 'deviceId' | 'template' | 'spki' | 'names' | 'createdAt'>;

const selectFitting = statement((database, p: Fitting) =>
  database
    .selectFrom('approval')
    .select(['id', 'spki', 'lifts', 'evidence'])
    .where('device_id', '=', p.deviceId)
    .where('template', '=', p.template)
    .where('state', '=', 'open')
    .where('expires_at', '>', p.createdAt)
    .where((eb) => eb.or([eb('spki', '=', p.spki), eb('spki', 'is', null)]))
    .where((eb) => eb.or([eb('names', '=', p.names), eb('names', 'is', null)])),
);

const voidOne = statement((database, p: { id: string }) =>
  database.updateTable('approval').set({ state: 'void' }).where('id', '=', p.id),
);

const voidOpen = statement((database) =>
  database.updateTable('approval').set({ state: 'void' }).where('state', 'in', ['open', 'taken']),
);

const voidOfDevice = statement((database, p: { deviceId: string }) =>
  database
    .updateTable('approval')
    .set({ state: 'void' })
    .where('device_id', '=', p.deviceId)
    .where('state', 'in', ['open', 'taken']),
);

/** Of every device. Returns how many there were. */
export function* voidOpenApprovals(): Operation<number> {
  return yield* run(voidOpen, {});
}

/** A device that has its first certificate needs what was approved beforehand no more: left open, it would let in another key. */
export function* endApprovalsBeforehand(of: { deviceId: string; template: string }): Operation<void> {
  yield* run(voidOpenBeforehand, of);
}

/** One given beforehand takes the place of those that are open: each would admit another key. */
export function* openApproval(approval: NewApproval): Operation<void> {
  yield* assertNotRetired(approval.deviceId);
  if (approval.spki === null) yield* run(voidOpenBeforehand, approval);
  const { lifts, evidence } = approval;
  yield* run(insertApproval, { ...approval, lifts: toJson(lifts), evidence: evidence && toJson(evidence) });
}

/**
 * An approval of a request takes in what was open for it already: what objected was shown with those lifted, and only
 * one approval counts at a time. What was lifted for evidence that said something else was not.
 */
export function* openApprovalOfRequest(
  approval: NewApproval,
  ofEvidence: readonly string[],
): Operation<void> {
  const lifts = new Set(approval.lifts);
  for (const earlier of yield* all(selectFitting, approval)) {
    const seen = earlier.evidence && fromJson(earlier.evidence);
    const isOfThis = earlier.spki === null || (seen !== null && isSameEvidence(seen, approval.evidence));
    for (const control of fromJson(earlier.lifts)) {
      if (isOfThis || !ofEvidence.includes(control)) lifts.add(control);
    }
    yield* run(voidOne, earlier);
  }
  yield* openApproval({ ...approval, lifts: [...lifts].sort() });
}

export function* approveDevice(act: {
  approval: NewApproval;
  now: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  yield* openApproval(act.approval);
  return { index: yield* append(act.entry) };
}

/** Throws 'conflict' where it is no longer open, or is for another device, template or key. */
export function* takeApproval(taking: Taking): Operation<void> {
  const taken = yield* run(takeOpen, taking);
  if (taken !== 1) throw new SallyportError('conflict', `approval ${taking.id} is no longer open`);
}

export function* useApproval(id: string, intentId: string): Operation<void> {
  const used = yield* run(useTaken, { id, intentId });
  if (used !== 1) throw new SallyportError('conflict', `approval ${id} was withdrawn`);
}

/** An approval that was voided meanwhile stays void. */
export function* freeApproval(id: string, intentId: string): Operation<void> {
  yield* run(freeTaken, { id, intentId });
}

export function* voidApprovalsOfDevice(deviceId: string): Operation<void> {
  yield* run(voidOfDevice, { deviceId });
}
