import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { identifier, remark } from '../input.ts';
import { demandPending } from './approve-request.ts';
import { knownRequest } from './show-request.ts';

const input = z.strictObject({ id: identifier, remark });

export const denyRequest = act(input, async (ports, operator, { id, remark: why }) => {
  const request = await knownRequest(ports, id);
  demandPending(request);
  const { deviceId: device, template, spki, names } = request;
  const detail = { request: id, device, template, spki, names, remark: why };
  const { now, entry } = recordAct(ports, operator, 'request.deny', detail);
  const { index } = await ports.store.denyRequest({ id, by: operator.name, now, entry });
  return { id, state: 'denied' as const, device, template, logIndex: index };
});
