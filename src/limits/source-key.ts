import { SallyportError } from '#errors';
import { parseIpAddress } from './ip-address.ts';

/**
 * Under what a source is counted: an IPv4 address whole, an IPv6 address by its /64, for the other 64 bits
 * are the interface identifier (RFC 4291 section 2.5.4), which a host chooses as it likes.
 */
export function sourceKey(address: string): string {
  const parsed = parseIpAddress(address);
  if (parsed === null) throw new SallyportError('malformed', 'a source is an IPv4 or IPv6 address');
  if (parsed.version === 4) return parsed.bytes.join('.');
  const view = new DataView(parsed.bytes.buffer, parsed.bytes.byteOffset);
  const groups = [0, 2, 4, 6].map((at) => view.getUint16(at).toString(16));
  return `${groups.join(':')}::/64`;
}
