import * as z from 'zod';
import { act } from '../act.ts';
import { deviceId, page, templateName } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { certificateView } from '../views/certificate.ts';

const input = z.strictObject({
  device: deviceId.optional(),
  template: templateName.optional(),
  state: z.enum(['current', 'revoked', 'expired']).optional(),
  ...page,
});

export const listCertificates = act(
  input,
  async ({ store, clock }, _operator, { device, limit, ...rest }) => {
    const now = clock.now();
    const certificates = await store.certificates({
      ...definedOnly({ ...rest, deviceId: device }),
      now,
      limit,
    });
    return pageOf(
      certificates,
      limit,
      (certificate) => certificateView(certificate, now),
      ({ sha256 }) => sha256,
    );
  },
);
