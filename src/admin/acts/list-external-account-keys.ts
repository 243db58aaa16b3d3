import * as z from 'zod';
import { act } from '../act.ts';
import { deviceId, page } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { externalAccountKeyView } from '../views/external-account-key.ts';

/** As a machine asks too, of what it made itself. */
export const listExternalAccountKeysInput = z.strictObject({
  device: deviceId.optional(),
  state: z.enum(['live', 'spent', 'void']).optional(),
  ...page,
});

export const listExternalAccountKeys = act(
  listExternalAccountKeysInput,
  async ({ store, clock }, _operator, { device, limit, ...rest }) => {
    const now = clock.now();
    const keys = await store.externalAccountKeys({ ...definedOnly({ ...rest, deviceId: device }), limit });
    return pageOf(
      keys,
      limit,
      (key) => externalAccountKeyView(key, now),
      ({ id }) => id,
    );
  },
);
