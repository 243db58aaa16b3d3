import type { NewEntry } from '#audit';
import type { LogPosition } from '#enrollment';
import type { DeviceState } from '#inventory';
import { type Operation, run } from '../operation.ts';
import { statement } from '../statement.ts';
import { voidApprovalsOfDevice } from './approvals.ts';
import { unknownDevice } from './devices.ts';
import { endAccountsOfDevice } from './external-accounts.ts';
import { append } from './log.ts';
import { denyRequestsOfDevice } from './requests.ts';
import { voidSecretsOfDevice } from './secrets.ts';

const updateState = statement((database, p: { id: string; state: DeviceState; now: number }) =>
  database.updateTable('device').set({ state: p.state, updated_at: p.now }).where('id', '=', p.id),
);

/** A retired device has nothing left with which it could ask: its secrets, approvals, accounts and requests end with it. */
export function* setDeviceState(act: {
  id: string;
  state: DeviceState;
  now: number;
  entry: NewEntry;
}): Operation<LogPosition> {
  const { id, state, now } = act;
  if ((yield* run(updateState, { id, state, now })) !== 1) throw unknownDevice(id);
  if (state === 'retired') {
    yield* voidSecretsOfDevice(id);
    yield* voidApprovalsOfDevice(id);
    yield* endAccountsOfDevice(id);
    yield* denyRequestsOfDevice(id, now);
  }
  return { index: yield* append(act.entry) };
}
