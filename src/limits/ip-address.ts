import { isIPv4, isIPv6 } from 'node:net';

/** An address as numbers of the network: 4 octets or 16. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly bytes: Uint8Array;
}

/**
 * Null when it is none. An IPv4-mapped address (RFC 4291 section 2.5.5.2), which is how a dual-stack socket
 * names its IPv4 peers, is the IPv4 address: otherwise one peer has two names. A zone (`%eth0`) is not part
 * of the address.
 */
export function parseIpAddress(text: string): IpAddress | null {
  if (isIPv4(text)) return { version: 4, bytes: Uint8Array.from(text.split('.'), Number) };
  if (!isIPv6(text)) return null;
  const bytes = ipv6Bytes(text.replace(/%.*$/, ''));
  return isMapped(bytes) ? { version: 4, bytes: bytes.subarray(12) } : { version: 6, bytes };
}

/** `text` is a valid IPv6 address. */
function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = text.split('::');
  const front = groupBytes(head);
  const back = groupBytes(tail ?? '');
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  return bytes;
}

function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [Math.floor(value / 256), value % 256];
  });
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((octet) => octet === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}
