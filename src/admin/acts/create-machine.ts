import * as z from 'zod';
import { SallyportError } from '#errors';
import { named } from '#enrollment';
import { parseCidr } from '#limits';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { machineName, templateName, tokenLifetime } from '../input.ts';
import { machineScopes } from '../machine-scope.ts';
import { makeToken } from '../machine-token.ts';
import type { AdminPorts } from '../ports.ts';
import { isoTime } from '../views/time.ts';

function someDistinct<Item extends z.ZodType<string>>(item: Item) {
  return z
    .array(item)
    .min(1)
    .max(64)
    .refine((items) => new Set(items).size === items.length, 'lists one twice');
}

const input = z.strictObject({
  name: machineName,
  scopes: someDistinct(z.enum(machineScopes)),
  /** Never all of them: a template that comes later is not meant. */
  templates: someDistinct(templateName),
  sources: someDistinct(z.string().max(64)).nullable().default(null),
  lifetimeSeconds: tokenLifetime,
});

export const createMachine = act(input, async (ports, operator, wanted) => {
  const { name, scopes, templates, sources } = wanted;
  demandTemplates(ports, templates);
  demandRanges(sources ?? []);
  const { token, stored } = makeToken(ports, wanted.lifetimeSeconds);
  const { expiresAt } = stored;
  const detail = { machine: name, scopes, templates, sources, expiresAt };
  const { now, entry } = recordAct(ports, operator, 'machine.create', detail);
  const machine = { name, scopes, templates, sources, createdAt: now, by: operator.name };
  const { index } = await ports.store.createMachine({ machine, token: stored, entry });
  return { name, token, expiresAt: isoTime(expiresAt), scopes, templates, sources, logIndex: index };
});

function demandTemplates({ authority }: AdminPorts, names: readonly string[]): void {
  const { templates } = authority().references;
  const unknown = names.find((name) => named(templates, name) === undefined);
  if (unknown === undefined) return;
  const known = Object.keys(templates).join(', ');
  throw new SallyportError('not-found', `there is no template ${unknown}; the configuration has ${known}`);
}

function demandRanges(sources: readonly string[]): void {
  for (const source of sources) {
    try {
      parseCidr(source);
    } catch (cause) {
      throw new SallyportError('usage', cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }
}
