import type { GeneralName } from './general-name.ts';
import { oids } from './oids.ts';

const types: readonly string[] = [oids.permanentIdentifier, oids.hardwareModuleName];

/** A PermanentIdentifier (RFC 4043) or a HardwareModuleName (RFC 4108), whatever it says. */
export function isDeviceName(name: GeneralName): boolean {
  return name.kind === 'otherName' && types.includes(name.type);
}
