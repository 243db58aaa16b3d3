import { SallyportError } from '#errors';
import { octetAt } from './octets.ts';
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** The octets of an iPAddress as text: dotted IPv4, or IPv6 as RFC 5952 writes it. Throws `malformed` for other lengths. */
export function formatIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length === 16) return formatIpv6(octets);
  throw new SallyportError('malformed', `iPAddress of ${octets.length} octets: 4 or 16 are an address`);
}

/** The octets of an IPv4 or IPv6 address. Throws `malformed` for anything else, zones and prefixes included. */
export function parseIpAddress(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (isIPv6(text) && !text.includes('%')) return parseIpv6(text);
  throw new SallyportError('malformed', `not an IP address: ${JSON.stringify(text.slice(0, 80))}`);
}

/** As it is compared and certified; null where the text is none, or has a zone (fe80::1%eth0), which means something on one host only. */
export function canonicalIpAddress(text: string): string | null {
  return isIP(text) === 0 || text.includes('%') ? null : formatIpAddress(parseIpAddress(text));
}

function parseIpv6(text: string): Uint8Array {
  const octets = new Uint8Array(16);
  const [head = '', tail] = text.split('::');
  const before = groupOctets(head);
  octets.set(before);
  if (tail !== undefined) {
    const after = groupOctets(tail);
    octets.set(after, 16 - after.length);
  }
  return octets;
}

function groupOctets(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** RFC 5952 section 4: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
function formatIpv6(octets: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => (octetAt(octets, 2 * i) << 8) | octetAt(octets, 2 * i + 1),
  );
  const run = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (run.length < 2) return text.join(':');
  return `${text.slice(0, run.start).join(':')}::${text.slice(run.start + run.length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}
