import type { Examination } from '#evidence';
import { namesOf } from './layers/evidence.ts';
import { named, type References } from './references.ts';
import type { DeviceKey, EnrollmentStore } from './store.ts';

/** Of a phone two, of anything else one. */
const mostNames = 8;

/**
 * The device that evidence names, in the way in which its class says that evidence names it; null: none, or several. Evidence of a class can name a device of
 * that class alone. A retired one is none. Whether it is to be believed is judged afterwards, as of any other.
 */
export async function attestedDevice(
  { format, statement }: Examination,
  template: string,
  { deviceClasses }: Pick<References, 'deviceClasses'>,
  store: Pick<EnrollmentStore, 'devicesBy'>,
): Promise<string | null> {
  if (format === null || statement === null) return null;
  const found = new Set<string>();
  for (const { name, evidence, templates } of Object.values(deviceClasses)) {
    const requirement = named(evidence ?? {}, format);
    if (requirement === undefined || templates?.includes(template) === false) continue;
    const { from, is, types } = requirement.device;
    if (is !== 'id' && is !== 'serialNumber') continue;
    const names = namesOf(statement.identities, from, types).slice(0, mostNames);
    const keys = names.map((value): DeviceKey => ({ column: is, value }));
    for (const device of await store.devicesBy(keys)) {
      if (device.deviceClass === name && device.state !== 'retired') found.add(device.id);
    }
  }
  const [id = null, ...others] = found;
  return others.length === 0 ? id : null;
}
