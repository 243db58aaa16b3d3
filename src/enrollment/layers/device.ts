import type { Context } from '#policy';
import type { DeviceObservation } from '../observations.ts';
import { Finding } from './finding.ts';

export function deriveDevice(device: DeviceObservation | null): Finding<NonNullable<Context['device']>> {
  const facts = {
    known: device !== null,
    state: device?.state ?? ('unknown' as const),
    fresh: device !== null && !device.otherKeyCurrent,
  };
  const finding = new Finding(facts);
  if (device === null) {
    return finding.because('device-known', false, 'the credential names no device of the inventory');
  }
  return finding
    .because(
      'device-state',
      device.state === 'expected' || device.state === 'active',
      `device ${device.id} is ${device.state}`,
    )
    .because(
      'enrollment-again',
      facts.fresh,
      `device ${device.id} has a current certificate of this template for another key: it was set up anew, or somebody has copied its identity`,
    );
}
