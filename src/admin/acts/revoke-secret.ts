import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { identifier, remark } from '../input.ts';

const input = z.strictObject({ id: identifier, remark });

export const revokeSecret = act(input, async (ports, operator, { id, remark: why }) => {
  const { now, entry } = recordAct(ports, operator, 'secret.revoke', { secret: id, remark: why });
  const { index } = await ports.store.voidSecret({ id, now, entry });
  return { id, state: 'void' as const, logIndex: index };
});
