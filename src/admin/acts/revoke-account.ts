import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { identifier, remark } from '../input.ts';

const input = z.strictObject({ id: identifier, remark });

/** RFC 8555 section 7.1.2: "revoked" is how the server ends an account. Certificates that it ordered stay. */
export const revokeAccount = act(input, async (ports, operator, { id, remark: why }) => {
  const { entry } = recordAct(ports, operator, 'account.revoke', { account: id, remark: why });
  const { index } = await ports.store.revokeAccount({ id, entry });
  return { id, status: 'revoked' as const, logIndex: index };
});
