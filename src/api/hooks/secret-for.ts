import { createSecret } from '#admin';
import type { ApiPorts, Call, HookDevice, Refusal } from '../call.ts';
import { actorOf, templateRefusal } from '../secret-routes.ts';

/** A secret for the device that a system of others names by what it knows of it; the template stands in the path. */
export async function secretFor(
  { admin }: ApiPorts,
  call: Call,
  { column, value }: { readonly column: HookDevice['column']; readonly value: string },
  lifetimeSeconds: number,
): Promise<{ readonly secret: string } | Refusal> {
  const template = call.parameters['template']!;
  const refusal = templateRefusal(call, template);
  if (refusal !== null) return refusal;
  const device =
    column === 'id' ? await admin.store.device(value) : await admin.store.deviceBySerialNumber(value);
  if (device === null) return { reason: 'device', status: 404, words: 'the inventory has no such device' };
  call.about.device = device.id;
  const wanted = {
    device: device.id,
    template,
    lifetimeSeconds,
    subject: null,
    subjectAltName: null,
    nonce: false,
  };
  return createSecret.run(admin, actorOf(call), wanted);
}
