import type { DemoAuthority } from './demo-authority.ts';
import { EstDevice, missingPrograms } from './est-device.ts';
import { NodeDevice } from './node-device.ts';
import { say, type Told } from './story.ts';

/** What asks for certificates: always a process of its own. */
export interface Device {
  enroll(secret: string, what: string, expected: Told['expected']): Promise<Told>;
  /** With its certificate, for the names that this has. */
  renew(what: string, expected: Told['expected']): Promise<Told>;
}

export type MakeDevice = (folder: string, id: string, authority: DemoAuthority) => Promise<Device>;

/** Devices are curl and openssl; where one of these is missing, a client of the demo's own in Node.js. */
export function deviceMaker(): MakeDevice {
  const missing = missingPrograms();
  if (missing.length === 0) return EstDevice.make;
  say(`${missing.join(' and ')} not found: the devices are processes of Node.js instead.\n`);
  return NodeDevice.make;
}
