import * as z from 'zod';
import { act } from '../act.ts';
import { deviceId, page } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { secretView } from '../views/secret.ts';

/** As a machine asks too, of what it made itself. */
export const listSecretsInput = z.strictObject({
  device: deviceId.optional(),
  state: z.enum(['live', 'reserved', 'spent', 'void']).optional(),
  ...page,
});

export const listSecrets = act(
  listSecretsInput,
  async ({ store, clock }, _operator, { device, limit, ...rest }) => {
    const now = clock.now();
    const secrets = await store.secrets({ ...definedOnly({ ...rest, deviceId: device }), limit });
    return pageOf(
      secrets,
      limit,
      (secret) => secretView(secret, now),
      ({ id }) => id,
    );
  },
);
