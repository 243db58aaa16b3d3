import * as z from 'zod';
import { act } from '../act.ts';
import { page } from '../input.ts';
import { definedOnly, pageOf } from '../page.ts';
import { requestView } from '../views/request.ts';

const input = z.strictObject({
  state: z.enum(['pending', 'approved', 'denied', 'issued']).optional(),
  ...page,
});

export const listRequests = act(input, async ({ store }, _operator, { limit, ...filter }) => {
  const requests = await store.requests({ ...definedOnly(filter), limit });
  return pageOf(requests, limit, requestView, ({ id }) => id);
});
