import * as z from 'zod';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { identifier } from '../input.ts';
import type { AdminPorts } from '../ports.ts';
import type { StoredRequest } from '../store.ts';
import { requestView } from '../views/request.ts';

export const showRequest = act(z.strictObject({ id: identifier }), async (ports, _operator, { id }) =>
  requestView(await knownRequest(ports, id)),
);

export async function knownRequest(ports: AdminPorts, id: string): Promise<StoredRequest> {
  const request = await ports.store.request(id);
  if (request === null) {
    throw new SallyportError(
      'not-found',
      `no request ${id} waited for an operator; see \`sallyport request list --all\`, or \`sallyport log show ${id}\``,
    );
  }
  return request;
}
