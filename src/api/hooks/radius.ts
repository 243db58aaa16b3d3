import { parseInput } from '#admin';
import * as z from 'zod';
import type { ApiListenerInForce } from '../call.ts';
import { json, jsonBody } from '../json.ts';
import type { Route } from '../route.ts';
import { secretFor } from './secret-for.ts';

/** An attribute as rlm_rest of FreeRADIUS writes it with `body = 'json'` (raddb/mods-available/rest): one value names one device. */
const attribute = z.object({
  value: z.tuple([
    z
      .string()
      .min(1)
      .max(253)
      .regex(/^\P{Cc}*$/u),
  ]),
});

/**
 * Onboarding by 802.1X: rlm_rest sends the attributes of a request, and gets the secret in the control list, where the server keeps it and no NAS sees it.
 * `do_xlat`: what is true by default would expand the value as FreeRADIUS' own language.
 */
export function radiusRoute({
  attribute: name,
  column,
  lifetimeSeconds,
}: NonNullable<ApiListenerInForce['radius']>): Route {
  const attributes = z.object({ [name]: attribute });
  return {
    method: 'POST',
    path: '/v1/hooks/radius/{template}',
    act: 'secret.create',
    summary: 'rlm_rest of FreeRADIUS.',
    scope: 'secrets:create',
    basic: true,
    changes: true,
    input: null,
    output: null,
    async run(ports, call) {
      const [value] = parseInput(attributes, await jsonBody(call))[name]!.value;
      const made = await secretFor(ports, call, { column, value }, lifetimeSeconds);
      if ('reason' in made) return made;
      return json({
        'control:Sallyport-Secret': { is_json: false, do_xlat: false, op: ':=', value: [made.secret] },
      });
    },
  };
}
