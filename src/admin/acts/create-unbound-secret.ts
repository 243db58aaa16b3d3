import { macSecret } from '#enrollment';
import { recordAct } from '../act-entry.ts';
import { newId } from '../identifiers.ts';
import type { Operator } from '../operator.ts';
import type { AdminPorts } from '../ports.ts';
import { demandSecretTemplate, lifetimeOf, newestMacKey } from './create-secret.ts';

/** A password of NDES has 16 digits, and who reads its page looks for them. 64 bits: few are live at once, and each for an hour. */
const passwordBytes = 8;

/**
 * A secret for no device yet, as the page of NDES hands out: not among the acts of operators, who know for whom it is. Throws 'conflict' where so many of this actor and template
 * are live already.
 */
export async function createUnboundSecret(
  ports: AdminPorts,
  actor: Operator,
  wanted: { readonly template: string; readonly lifetimeSeconds: number; readonly maximumLive: number },
): Promise<{ readonly secret: string; readonly id: string }> {
  const { template, maximumLive } = wanted;
  demandSecretTemplate(ports, template);
  const id = newId('secret', ports.random);
  const now = ports.clock.now();
  const expiresAt = now + lifetimeOf(ports, wanted.lifetimeSeconds) * 1000;
  const detail = { secret: id, device: null, template, expected: null, expiresAt };
  const { entry } = recordAct(ports, actor, 'secret.create', detail, now);
  const secret = Buffer.from(ports.random(passwordBytes)).toString('hex').toUpperCase();
  const macKey = newestMacKey(ports);
  await ports.store.createUnboundSecret({
    secret: {
      id,
      mac: macSecret(secret, macKey),
      macKeyId: macKey.id,
      deviceId: null,
      template,
      expected: null,
      createdAt: now,
      expiresAt,
      by: actor.name,
    },
    maximumLive,
    entry,
  });
  return { secret, id };
}
