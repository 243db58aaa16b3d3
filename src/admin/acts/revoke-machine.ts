import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { machineName, remark } from '../input.ts';
import { isoTime } from '../views/time.ts';

const input = z.strictObject({ name: machineName, remark });

/** Its name stays taken: what it made is listed under it, and would be another's. Secrets and external account keys that it made and nobody has used up are void with it: it may be revoked because it was stolen. */
export const revokeMachine = act(input, async (ports, operator, { name, remark: why }) => {
  const { now, entry } = recordAct(ports, operator, 'machine.revoke', { machine: name, remark: why });
  const ended = await ports.store.revokeMachine({ name, now, entry });
  const { index, secrets, externalAccountKeys } = ended;
  return { name, revokedAt: isoTime(now), secrets, externalAccountKeys, logIndex: index };
});
