import * as z from 'zod';
import { canonicalGivenName, isEverOrderable, named, seal } from '#enrollment';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { granteeFor } from '../grant.ts';
import { newId } from '../identifiers.ts';
import { deviceId, templateName } from '../input.ts';
import type { AdminPorts } from '../ports.ts';
import { isoTime } from '../views/time.ts';
import { lifetimeOf, newestMacKey } from './create-secret.ts';

/** HS256: "A key of the same size as the hash output ... or larger MUST be used" (RFC 7518 section 3.2). */
const hmacKeyLength = 32;

/** As a machine asks too, which approves nothing. */
export const externalAccountKeyInput = z.strictObject({
  /** Whose it is. */
  device: deviceId,
  templates: z
    .array(templateName)
    .min(1)
    .max(16)
    .refine((items) => new Set(items).size === items.length, 'lists one twice'),
  /** What its account may order: `www.example.org` or `10.0.0.7` itself, `.example.org` for every name below; null: whatever the templates admit. */
  names: z.array(z.string().min(1).max(254)).min(1).max(100).nullable().default(null),
  /** Sets of names with current certificates; null: any number. */
  maximumCertificates: z.int().min(1).max(1_000_000).nullable().default(null),
  /** How long it may wait to be spent. */
  lifetimeSeconds: z.int().positive().nullable().default(null),
});

const input = externalAccountKeyInput.extend({
  /** First enrollments within `names` need no other approval of an operator. */
  approve: z.boolean().default(false),
});

/** The one moment at which the key is told: it is in the answer, and rests sealed, since HS256 needs it as it is. */
export const createExternalAccountKey = act(input, async (ports, operator, wanted) => {
  const { device, templates, maximumCertificates, approve } = wanted;
  for (const template of templates) {
    await granteeFor(ports, device, template);
    demandAccountTemplate(ports, template);
  }
  const names = wanted.names === null ? null : givenNames(ports, templates, wanted.names);
  if (approve && names === null) {
    throw new SallyportError('usage', 'an approval is for names: say which (names), or leave it out');
  }
  const lifetimeSeconds = lifetimeOf(ports, wanted.lifetimeSeconds, 'an external account key waits');

  const id = newId('externalAccountKey', ports.random);
  const now = ports.clock.now();
  const expiresAt = now + lifetimeSeconds * 1000;
  const bounds = { templates, names, maximumCertificates };
  const detail = { externalAccountKey: id, device, ...bounds, approve, expiresAt };
  const { entry } = recordAct(ports, operator, 'eab.create', detail, now);
  const hmacKey = ports.random(hmacKeyLength);
  const sealingKey = newestMacKey(ports);
  const key = {
    id,
    sealed: seal(hmacKey, id, sealingKey, ports.random),
    sealingKeyId: sealingKey.id,
    deviceId: device,
    ...bounds,
    approvedBy: approve ? operator.name : null,
    createdAt: now,
    expiresAt,
    by: operator.name,
  };
  const { index } = await ports.store.createExternalAccountKey({ key, entry });
  return {
    keyId: id,
    hmacKey: Buffer.from(hmacKey).toString('base64url'),
    device,
    ...bounds,
    approved: approve,
    expiresAt: isoTime(expiresAt),
    logIndex: index,
  };
});

function demandAccountTemplate({ authority }: AdminPorts, name: string): void {
  const template = named(authority().references.templates, name);
  if (template?.authentication.includes('account') === true && template.acme !== undefined) return;
  throw new SallyportError(
    'forbidden',
    `template ${name} takes no accounts: its authentication does not list them, or it has no acme settings`,
  );
}

/** In canonical spelling, each once. A name that no order can ever be for is a mistake of who gives it. */
function givenNames(
  { authority }: AdminPorts,
  templates: readonly string[],
  wanted: readonly string[],
): readonly string[] {
  const { references } = authority();
  const names = wanted.map((text) => {
    const name = canonicalGivenName(text);
    if (name !== null) return name;
    throw new SallyportError(
      'usage',
      `${text} is no name to give: www.example.org, 10.0.0.7, or .example.org for every name below`,
    );
  });
  const strange = names.find(
    (name) => !templates.some((template) => isEverOrderable(references.templates[template]!, name)),
  );
  if (strange !== undefined) {
    const words = `${templates.join(', ')} would never admit ${strange}: see request.subjectAltName there`;
    throw new SallyportError('forbidden', words);
  }
  return [...new Set(names)];
}
