import * as z from 'zod';
import { act } from '../act.ts';
import { deviceId, page } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { accountView } from '../views/account.ts';

const input = z.strictObject({ device: deviceId.optional(), ...page });

export const listAccounts = act(input, async ({ store }, _operator, { device, limit, ...rest }) => {
  const accounts = await store.accounts({ ...definedOnly({ ...rest, deviceId: device }), limit });
  return pageOf(accounts, limit, accountView, ({ id }) => id);
});
