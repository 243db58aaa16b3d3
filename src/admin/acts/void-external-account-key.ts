import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { identifier, remark } from '../input.ts';

const input = z.strictObject({ id: identifier, remark });

/** With a spent one its account ends too. */
export const voidExternalAccountKey = act(input, async (ports, operator, { id, remark: why }) => {
  const detail = { externalAccountKey: id, remark: why };
  const { entry } = recordAct(ports, operator, 'eab.void', detail);
  const { index } = await ports.store.voidExternalAccountKey({ id, entry });
  return { id, state: 'void' as const, logIndex: index };
});
