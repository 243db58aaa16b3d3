import { SallyportError } from '#errors';
import { named, type References } from '#enrollment';
import type { Device, DeviceState } from '#inventory';
import { newId } from './identifiers.ts';
import type { Operator } from './operator.ts';
import type { AdminPorts } from './ports.ts';
import type { NewApproval, StoredDevice } from './store.ts';

/** What a template is given to: a secret, or an approval beforehand. */
type Grantee = Pick<Device, 'id' | 'deviceClass'>;

/** Why devices of this class cannot have the template, in words; null where they can. */
export function templateObstacle(references: References, device: Grantee, template: string): string | null {
  if (named(references.templates, template) === undefined) {
    const known = Object.keys(references.templates).join(', ');
    return `there is no template ${template}; the configuration has ${known}`;
  }
  const ofClass = named(references.deviceClasses, device.deviceClass);
  if (ofClass === undefined) {
    return `device ${device.id} is of class ${device.deviceClass}, which the configuration no longer has`;
  }
  if (ofClass.templates !== null && !ofClass.templates.includes(template)) {
    return `devices of class ${ofClass.name} may not have template ${template}; they may have ${ofClass.templates.join(', ')}`;
  }
  return null;
}

const enrollable: readonly DeviceState[] = ['expected', 'active'];

/** The device, where it may be given something for the template. Throws 'not-found', 'conflict', 'forbidden'. */
export async function granteeFor(ports: AdminPorts, id: string, template: string): Promise<StoredDevice> {
  const device = await knownDevice(ports, id);
  if (!enrollable.includes(device.state)) {
    throw new SallyportError(
      'conflict',
      `device ${id} is ${device.state}; only expected and active devices can enroll`,
    );
  }
  const obstacle = templateObstacle(ports.authority().references, device, template);
  if (obstacle !== null) throw new SallyportError('forbidden', obstacle);
  return device;
}

export async function knownDevice(ports: AdminPorts, id: string): Promise<StoredDevice> {
  const device = await ports.store.device(id);
  if (device === null) {
    throw new SallyportError(
      'not-found',
      `there is no device ${id}; import it first, or see \`sallyport device list\``,
    );
  }
  return device;
}

/** The controls that an approval given before any request can lift: what a first enrollment is held for. */
export const liftedBeforehand = ['class-approval', 'enrollment-again', 'first-enrollment'] as const;

/** And those that an operator may name besides, for a device whose client makes a new key each time. There is nothing yet to be read: it is lifted by their word. */
export const liftableBeforehand = [
  ...liftedBeforehand,
  'attestation-rollback',
  'attestation-shared',
  'renewal-lineage',
] as const;

/** For whatever key and evidence the device will bring, and the names that the template builds. */
export function approvalBeforehand(
  ports: AdminPorts,
  operator: Operator,
  device: string,
  template: string,
  now: number,
  lifts: readonly (typeof liftableBeforehand)[number][] = liftedBeforehand,
): NewApproval {
  return {
    id: newId('approval', ports.random),
    deviceId: device,
    template,
    spki: null,
    names: null,
    lifts: [...new Set(lifts)].sort(),
    evidence: null,
    by: operator.name,
    createdAt: now,
    expiresAt: now + ports.settings().approvalLifetimeSeconds * 1000,
  };
}
