import * as z from 'zod';
import { deviceStates } from '#inventory';
import { act } from '../act.ts';
import { page } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { deviceView } from '../views/device.ts';

const input = z.strictObject({
  state: z.enum(deviceStates).optional(),
  deviceClass: z.string().min(1).max(128).optional(),
  ...page,
});

export const listDevices = act(input, async ({ store }, _operator, { limit, ...filter }) => {
  const devices = await store.devices({ ...definedOnly(filter), limit });
  return pageOf(devices, limit, deviceView, ({ id }) => id);
});
