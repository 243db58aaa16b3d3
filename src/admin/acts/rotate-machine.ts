import * as z from 'zod';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { machineName, tokenLifetime } from '../input.ts';
import { makeToken } from '../machine-token.ts';
import { isoTime } from '../views/time.ts';

const hour = 3600;
const longestOverlapSeconds = 7 * 24 * hour;

const input = z.strictObject({
  name: machineName,
  lifetimeSeconds: tokenLifetime,
  /** How long the tokens before are good beside the new one; 0: not at all. */
  overlapSeconds: z.int().min(0).max(longestOverlapSeconds).default(hour),
});

export const rotateMachine = act(
  input,
  async (ports, operator, { name, lifetimeSeconds, overlapSeconds }) => {
    const { token, stored } = makeToken(ports, lifetimeSeconds);
    const { expiresAt } = stored;
    const othersUntil = ports.clock.now() + overlapSeconds * 1000;
    const detail = { machine: name, expiresAt, othersUntil };
    const { now, entry } = recordAct(ports, operator, 'machine.rotate', detail);
    const { index } = await ports.store.rotateMachine({ name, token: stored, othersUntil, now, entry });
    return {
      name,
      token,
      expiresAt: isoTime(expiresAt),
      othersUntil: isoTime(othersUntil),
      logIndex: index,
    };
  },
);
