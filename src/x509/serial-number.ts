import { SallyportError } from '#errors';
import type { Der, DerNode } from './der-node.ts';
import { der } from './der-writer.ts';

/** RFC 5280 section 4.1.2.2. */
const maximumOctets = 20;

/** Lower-case hexadecimal, two digits an octet, no leading zero octet. Negative ones are `malformed`. */
export function serialNumberOf(node: DerNode, maximum: number = maximumOctets): string {
  const octets = node.unsignedBytes('serialNumber');
  if (octets.length > maximum) {
    throw new SallyportError('too-large', `serialNumber of ${octets.length} octets, at most ${maximum}`);
  }
  return octets.toHex();
}

/** Whether it is spelled as `serialNumberOf` does. */
export function isSerialNumber(text: string): boolean {
  return /^(?:00|(?!00)(?:[0-9a-f]{2}){1,20})$/.test(text);
}

/** Takes what `serialNumberOf` gives; throws `malformed` for other spellings. */
export function encodeSerialNumber(serialNumber: string): Der {
  if (!isSerialNumber(serialNumber)) {
    throw new SallyportError('malformed', 'serialNumber: not 1 to 20 octets of lower-case hexadecimal');
  }
  return der.integer(Uint8Array.fromHex(serialNumber));
}
