import * as z from 'zod';
import { act } from '../act.ts';
import { page } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { machineView } from '../views/machine.ts';

const input = z.strictObject({ ...page });

export const listMachines = act(input, async ({ store, clock }, _operator, { limit, ...filter }) => {
  const machines = await store.machines({ ...definedOnly(filter), now: clock.now(), limit });
  return pageOf(machines, limit, machineView, ({ name }) => name);
});
