import { parseInput } from '#admin';
import { SallyportError } from '#errors';
import * as z from 'zod';
import type { ApiListenerInForce, Call } from '../call.ts';
import { jsonBody } from '../json.ts';
import type { Route } from '../route.ts';
import { secretFor } from './secret-for.ts';

/**
 * The envelope that Jamf's webhooks have. What an event SCEPChallenge has of its device is not established (docs/api.md): what is not as here is refused, and
 * further members are of no concern.
 */
/** Text of an inventory: no control character. */
const name = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^\P{Cc}*$/u);

const envelope = z.object({
  webhook: z.object({ webhookEvent: z.literal('SCEPChallenge') }),
  event: z.object({
    targetDevice: z.object({
      serialNumber: name(128).optional(),
      udid: name(128).optional(),
    }),
  }),
});

/** Jamf Pro, "SCEPChallenge": the answer is the challenge and nothing else. */
export function jamfRoute({ column, lifetimeSeconds }: NonNullable<ApiListenerInForce['jamf']>): Route {
  return {
    method: 'POST',
    path: '/v1/hooks/jamf/{template}',
    act: 'secret.create',
    summary: 'The webhook SCEPChallenge of Jamf Pro.',
    scope: 'secrets:create',
    basic: true,
    changes: true,
    input: null,
    output: null,
    async run(ports, call) {
      const value = await deviceOf(call, column);
      const made = await secretFor(ports, call, { column, value }, lifetimeSeconds);
      return 'reason' in made ? made : { type: 'text/plain; charset=us-ascii', body: made.secret };
    },
  };
}

async function deviceOf(call: Call, column: 'id' | 'serialNumber'): Promise<string> {
  const { targetDevice } = parseInput(envelope, await jsonBody(call)).event;
  const value = column === 'id' ? targetDevice.udid : targetDevice.serialNumber;
  if (value === undefined) throw new SallyportError('malformed', 'the event does not name its device');
  return value;
}
