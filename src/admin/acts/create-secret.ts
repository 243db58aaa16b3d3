import * as z from 'zod';
import { generateSecret, macSecret, type MacKey, named } from '#enrollment';
import { SallyportError } from '#errors';
import { buildName, encodeGeneralNames, parseGeneralNames, type GeneralName } from '#x509';
import { act } from '../act.ts';
import { recordAct } from '../act-entry.ts';
import { granteeFor } from '../grant.ts';
import { newId } from '../identifiers.ts';
import { deviceId, templateName } from '../input.ts';
import type { AdminPorts } from '../ports.ts';
import type { NewSecret } from '../store.ts';
import { isoTime } from '../views/time.ts';

const shortestLifetimeSeconds = 60;

const input = z.strictObject({
  device: deviceId,
  template: templateName,
  lifetimeSeconds: z.int().positive().nullable().default(null),
  /** Names that the request must ask for, exactly; null: whatever the template lets it ask for. */
  subject: z
    .array(z.strictObject({ type: z.string().min(1), value: z.string().min(1) }))
    .min(1)
    .max(16)
    .nullable()
    .default(null),
  subjectAltName: z
    .array(z.strictObject({ kind: z.enum(['dns', 'email', 'uri', 'ip']), value: z.string().min(1) }))
    .min(1)
    .max(32)
    .nullable()
    .default(null),
  /** With a nonce that evidence is to hold, for devices whose protocol has no other way to get one. */
  nonce: z.boolean().default(false),
});

const nonceOctets = 32;

/** The one moment at which the secret exists in the clear here: it is in the answer, and only its MAC is stored. */
export const createSecret = act(input, async (ports, operator, wanted) => {
  const device = await granteeFor(ports, wanted.device, wanted.template);
  demandSecretTemplate(ports, wanted.template);
  const lifetimeSeconds = lifetimeOf(ports, wanted.lifetimeSeconds);
  const subject = wanted.subject === null ? null : buildName(wanted.subject);
  const subjectAltName = wanted.subjectAltName === null ? null : canonical(wanted.subjectAltName);
  const expected = subject === null && subjectAltName === null ? null : { subject, subjectAltName };

  const id = newId('secret', ports.random);
  const now = ports.clock.now();
  const expiresAt = now + lifetimeSeconds * 1000;
  const detail = { secret: id, device: device.id, template: wanted.template, expected, expiresAt };
  const { entry } = recordAct(ports, operator, 'secret.create', detail, now);
  const secret = generateSecret(ports.random);
  const nonce = wanted.nonce ? ports.random(nonceOctets) : null;
  const macKey = newestMacKey(ports);
  const stored: NewSecret = {
    id,
    mac: macSecret(secret, macKey),
    macKeyId: macKey.id,
    deviceId: device.id,
    template: wanted.template,
    expected,
    createdAt: now,
    expiresAt,
    by: operator.name,
  };
  const { index } = await ports.store.createSecret({ secret: stored, nonce, entry });
  return {
    secret,
    id,
    device: device.id,
    template: wanted.template,
    expiresAt: isoTime(expiresAt),
    nonce: nonce === null ? null : Buffer.from(nonce).toString('base64url'),
    logIndex: index,
  };
});

export function demandSecretTemplate(ports: AdminPorts, name: string): void {
  const template = named(ports.authority().references.templates, name);
  if (template?.authentication.includes('secret') !== true) {
    throw new SallyportError(
      'forbidden',
      `template ${name} takes no secrets: its authentication does not list them`,
    );
  }
}

/** `what`: in words. */
export function lifetimeOf(ports: AdminPorts, wanted: number | null, what = 'a secret lives'): number {
  const { default: usual, maximum } = ports.settings().secretLifetimeSeconds;
  const seconds = wanted ?? usual;
  if (seconds < shortestLifetimeSeconds || seconds > maximum) {
    throw new SallyportError(
      'usage',
      `${what} ${shortestLifetimeSeconds} to ${maximum} seconds here, not ${seconds}`,
    );
  }
  return seconds;
}

/** As the request's own names will be compared: encoded and read again. */
function canonical(names: readonly GeneralName[]): readonly GeneralName[] {
  return parseGeneralNames(encodeGeneralNames(names));
}

export function newestMacKey(ports: AdminPorts): MacKey {
  const [newest] = ports.authority().macKeys;
  if (newest === undefined) throw new SallyportError('internal', 'no MAC key is in force');
  return newest;
}
