import * as z from 'zod';
import { SallyportError } from '#errors';
import type { DeviceState } from '#inventory';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { knownDevice } from '../grant.ts';
import { deviceId, remark } from '../input.ts';

/** Retiring is for good: what a retired device had is void, and another device may take its place under a new id. */
const stateChanges = {
  suspend: { from: ['expected', 'active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  retire: { from: ['expected', 'active', 'suspended'], to: 'retired' },
} as const satisfies Record<string, { from: readonly DeviceState[]; to: DeviceState }>;

const input = z.strictObject({ id: deviceId, remark });

function stateChange(change: keyof typeof stateChanges) {
  const from: readonly DeviceState[] = stateChanges[change].from;
  const { to } = stateChanges[change];
  return act(input, async (ports, operator, { id, remark: why }) => {
    const device = await knownDevice(ports, id);
    if (!from.includes(device.state)) {
      throw new SallyportError(
        'conflict',
        `device ${id} is ${device.state}; only ${from.join(', ')} devices can be ${to === 'active' ? 'resumed' : to}`,
      );
    }
    const detail = { device: id, from: device.state, to, remark: why };
    const { now, entry } = recordAct(ports, operator, `device.${change}`, detail);
    const { index } = await ports.store.setDeviceState({ id, state: to, now, entry });
    return { id, state: to as DeviceState, logIndex: index };
  });
}

/** Every request of a suspended device is refused, a held and approved one too; its certificates stay valid. */
export const suspendDevice = stateChange('suspend');
export const resumeDevice = stateChange('resume');
export const retireDevice = stateChange('retire');
