import {
  createSecret,
  definedOnly,
  listSecretsInput,
  nameOfMachine,
  type Operator,
  pageOf,
  revokeSecret,
  secretView,
} from '#admin';
import { SallyportError } from '#errors';
import * as z from 'zod';
import type { Call, Refusal } from './call.ts';
import { bodyOf, json, queryOf } from './json.ts';
import type { Route } from './route.ts';

const time = z.iso.datetime();
const created = z.strictObject({
  secret: z.string(),
  id: z.string(),
  device: z.string(),
  template: z.string(),
  expiresAt: time,
  /** What the evidence of the key is to hold, base64url; null: none was asked for. */
  nonce: z.string().nullable(),
  logIndex: z.int(),
});
const listed = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string(),
      device: z.string().nullable(),
      template: z.string(),
      state: z.enum(['live', 'reserved', 'spent', 'void']),
      expired: z.boolean(),
      expected: z
        .strictObject({ subject: z.string().nullable(), subjectAltName: z.array(z.string()).nullable() })
        .nullable(),
      createdAt: time,
      expiresAt: time,
      createdBy: z.string(),
    }),
  ),
  next: z.string().nullable(),
});
const revoked = z.strictObject({ id: z.string(), state: z.literal('void'), logIndex: z.int() });

/** Who acts, for the entry of the act. */
export function actorOf({ machine, source }: Pick<Call, 'machine' | 'source'>): Operator {
  return { name: nameOfMachine(machine), source };
}

export function templateRefusal(
  { machine, about }: Pick<Call, 'machine' | 'about'>,
  template: string,
): Refusal | null {
  about.template = template;
  if (machine.templates.includes(template)) return null;
  const words = `machine ${machine.name} may not act for this template; it may for ${machine.templates.join(', ')}`;
  return { reason: 'template', status: 403, words };
}

const create: Route = {
  method: 'POST',
  path: '/v1/secrets',
  act: 'secret.create',
  summary: 'Create a one-time enrollment secret for a device. It is in the answer this once.',
  scope: 'secrets:create',
  changes: true,
  input: createSecret.input,
  output: created,
  async run({ admin }, call) {
    const input = await bodyOf(call, createSecret.input);
    call.about.device = input.device;
    return templateRefusal(call, input.template) ?? json(await createSecret.run(admin, actorOf(call), input));
  },
};

/** Its own and no others, by the name that the store has of who made it. */
const list: Route = {
  method: 'GET',
  path: '/v1/secrets',
  act: 'secret.list',
  summary: 'List the secrets that this machine made, and their states; never the secrets themselves.',
  scope: 'secrets:list',
  input: listSecretsInput,
  output: listed,
  async run({ admin: { store, clock } }, call) {
    const { device, limit, ...rest } = queryOf(call, listSecretsInput);
    const filter = definedOnly({ ...rest, deviceId: device });
    const secrets = await store.secretsOfMachine({ ...filter, by: nameOfMachine(call.machine), limit });
    const now = clock.now();
    const page = pageOf(
      secrets,
      limit,
      (secret) => secretView(secret, now),
      ({ id }) => id,
    );
    const items = page.items.filter(({ template }) => call.machine.templates.includes(template));
    return json({ ...page, items });
  },
};

const revoke: Route = {
  method: 'POST',
  path: '/v1/secrets/{id}/revoke',
  act: 'secret.revoke',
  summary: 'Make a secret void that this machine made, and that nobody has used yet.',
  scope: 'secrets:void',
  changes: true,
  input: revokeSecret.input,
  output: revoked,
  async run({ admin }, call) {
    const input = await bodyOf(call, revokeSecret.input);
    call.about.secret = input.id;
    const secret = await admin.store.secret(input.id);
    const isOwn =
      secret?.by === nameOfMachine(call.machine) && call.machine.templates.includes(secret.template);
    // What is another's is told in the words of what is not there.
    if (secret !== null && !isOwn) {
      return { reason: 'not-own', status: 404, words: unknownWords(input.id) };
    }
    if (secret === null) throw new SallyportError('not-found', unknownWords(input.id));
    return json(await revokeSecret.run(admin, actorOf(call), input));
  },
};

function unknownWords(id: string): string {
  return `no secret of yours has the id ${id}`;
}

export const secretRoutes: readonly Route[] = [create, list, revoke];
