import {
  createExternalAccountKey,
  definedOnly,
  externalAccountKeyInput,
  externalAccountKeyView,
  listExternalAccountKeysInput,
  nameOfMachine,
  pageOf,
  voidExternalAccountKey,
} from '#admin';
import { SallyportError } from '#errors';
import * as z from 'zod';
import type { Call, Refusal } from './call.ts';
import { bodyOf, json, queryOf } from './json.ts';
import type { Route } from './route.ts';
import { actorOf, templateRefusal } from './secret-routes.ts';

const time = z.iso.datetime();
const bounds = {
  device: z.string(),
  templates: z.array(z.string()),
  names: z.array(z.string()).nullable(),
  maximumCertificates: z.int().nullable(),
};
const created = z.strictObject({
  keyId: z.string(),
  hmacKey: z.string(),
  ...bounds,
  approved: z.literal(false),
  expiresAt: time,
  logIndex: z.int(),
});
const listed = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string(),
      ...bounds,
      approvedBy: z.null(),
      state: z.enum(['live', 'spent', 'void']),
      expired: z.boolean(),
      account: z.string().nullable(),
      createdAt: time,
      expiresAt: time,
      createdBy: z.string(),
    }),
  ),
  next: z.string().nullable(),
});
const ended = z.strictObject({ id: z.string(), state: z.literal('void'), logIndex: z.int() });

/** A machine vouches for whom it gives a key to, and approves nothing: that is an operator's. */
const create: Route = {
  method: 'POST',
  path: '/v1/external-account-keys',
  act: 'eab.create',
  summary:
    'Create an external account key for a device, with which it makes an ACME account. The MAC key is in the answer this once.',
  scope: 'eab:create',
  changes: true,
  input: externalAccountKeyInput,
  output: created,
  async run({ admin }, call) {
    const input = await bodyOf(call, externalAccountKeyInput);
    call.about.device = input.device;
    const wanted = { ...input, approve: false };
    return (
      templatesRefusal(call, input.templates) ??
      json(await createExternalAccountKey.run(admin, actorOf(call), wanted))
    );
  },
};

/** Its own and no others, by the name that the store has of who made it. */
const list: Route = {
  method: 'GET',
  path: '/v1/external-account-keys',
  act: 'eab.list',
  summary:
    'List the external account keys that this machine made, and their states; never the keys themselves.',
  scope: 'eab:list',
  input: listExternalAccountKeysInput,
  output: listed,
  async run({ admin: { store, clock } }, call) {
    const { device, limit, ...rest } = queryOf(call, listExternalAccountKeysInput);
    const filter = definedOnly({ ...rest, deviceId: device });
    const by = nameOfMachine(call.machine);
    const keys = await store.externalAccountKeysOfMachine({ ...filter, by, limit });
    const now = clock.now();
    const page = pageOf(
      keys,
      limit,
      (key) => externalAccountKeyView(key, now),
      ({ id }) => id,
    );
    const items = page.items.filter(({ templates }) => mayHave(call, templates));
    return json({ ...page, items });
  },
};

const end: Route = {
  method: 'POST',
  path: '/v1/external-account-keys/{id}/void',
  act: 'eab.void',
  summary:
    'Make an external account key void that this machine made. The account that was made with it has no power from then on.',
  scope: 'eab:void',
  changes: true,
  input: voidExternalAccountKey.input,
  output: ended,
  async run({ admin }, call) {
    const input = await bodyOf(call, voidExternalAccountKey.input);
    call.about.externalAccountKey = input.id;
    const key = await admin.store.externalAccountKey(input.id);
    const isOwn = key?.by === nameOfMachine(call.machine) && mayHave(call, key.templates);
    // What is another's is told in the words of what is not there.
    const words = `no external account key of yours has the id ${input.id}`;
    if (key !== null && !isOwn) return { reason: 'not-own', status: 404, words };
    if (key === null) throw new SallyportError('not-found', words);
    return json(await voidExternalAccountKey.run(admin, actorOf(call), input));
  },
};

function templatesRefusal(call: Call, templates: readonly string[]): Refusal | null {
  for (const template of templates) {
    const refusal = templateRefusal(call, template);
    if (refusal !== null) return refusal;
  }
  return null;
}

function mayHave({ machine }: Call, templates: readonly string[]): boolean {
  return templates.every((template) => machine.templates.includes(template));
}

export const externalAccountRoutes: readonly Route[] = [create, list, end];
