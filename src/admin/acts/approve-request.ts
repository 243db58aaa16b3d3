import * as z from 'zod';
import { controlsOfEvidence } from '#enrollment';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { newId } from '../identifiers.ts';
import { identifier, remark } from '../input.ts';
import type { AdminPorts } from '../ports.ts';
import type { NewApproval, StoredRequest } from '../store.ts';
import { isoTime } from '../views/time.ts';
import { knownRequest } from './show-request.ts';

const input = z.strictObject({
  id: identifier,
  /** The objections that the operator saw, by control. Given, they must be those that stand: nobody lifts what they did not read. */
  lifts: z.array(z.string().max(128)).max(128).nullable().default(null),
  remark,
});

/**
 * Approves a digest (device, template, public key, names, and what evidence says) and names the objections lifted. No certificate yet: the client asks
 * again, and all is observed, derived and judged again with this approval among the observations.
 */
export const approveRequest = act(input, async (ports, operator, { id, lifts: seen, remark: why }) => {
  const request = await knownRequest(ports, id);
  demandPending(request);
  demandRecent(ports, request);
  const lifts = liftedControls(request);
  if (seen !== null && seen.toSorted().join() !== lifts.join()) {
    throw new SallyportError(
      'conflict',
      `the objections to request ${id} have changed; look at it again: sallyport request show ${id}`,
    );
  }
  const { deviceId, template, spki, names, evidence } = request;
  const approvalId = newId('approval', ports.random);
  const expiresAt = ports.clock.now() + ports.settings().approvalLifetimeSeconds * 1000;
  const detail = {
    request: id,
    approval: approvalId,
    device: deviceId,
    template,
    spki,
    names,
    evidence,
    lifts,
    expiresAt,
    remark: why,
  };
  const { now, entry } = recordAct(ports, operator, 'request.approve', detail);
  const approval: NewApproval = {
    id: approvalId,
    deviceId,
    template,
    spki,
    names,
    evidence,
    lifts,
    by: operator.name,
    createdAt: now,
    expiresAt,
  };
  const { index } = await ports.store.approveRequest({
    id,
    approval,
    ofEvidence: controlsOfEvidence,
    now,
    entry,
  });
  return {
    id,
    state: 'approved' as const,
    device: deviceId,
    template,
    lifts,
    expiresAt: isoTime(expiresAt),
    logIndex: index,
  };
});

export function demandPending({ id, state, decidedBy }: StoredRequest): void {
  if (state !== 'pending') {
    throw new SallyportError(
      'conflict',
      `request ${id} is ${state} already${decidedBy === null ? '' : `, by ${decidedBy}`}`,
    );
  }
}

function liftedControls({ id, objections }: StoredRequest): string[] {
  const final = objections.filter(({ liftable }) => !liftable);
  if (final.length > 0) {
    throw new SallyportError(
      'forbidden',
      `request ${id} has objections that nobody can lift: ${final.map(({ control }) => control).join(', ')}`,
    );
  }
  return objections.map(({ control }) => control).toSorted();
}

/** A held request ends like an approval does; a job closes it soon. */
function demandRecent(ports: AdminPorts, { id, firstSeen }: StoredRequest): void {
  if (ports.clock.now() < firstSeen + ports.settings().approvalLifetimeSeconds * 1000) return;
  throw new SallyportError(
    'conflict',
    `request ${id} waited too long and has ended; the device needs a new secret`,
  );
}
