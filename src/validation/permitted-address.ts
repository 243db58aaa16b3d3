import { isIP } from 'node:net';
import { type Cidr, cidrContains, parseCidr } from '#limits';
import { formatIpAddress, parseIpAddress } from '#x509';
import { isMapped } from './mapped-address.ts';

/** The address to connect to, as text; null: it is not one that may be connected to. */
export type AddressGuard = (address: string) => string | null;

const loopback = ['127.0.0.0/8', '::1/128'].map(parseCidr);

/** Whatever the networks are. */
const never = [
  // RFC 1122 section 3.2.1.3: this host on this network. Linux takes 0.0.0.0 for loopback.
  '0.0.0.0/8',
  // Link-local, and with it the metadata service of nearly every cloud.
  '169.254.0.0/16',
  'fe80::/10',
  '224.0.0.0/4',
  'ff00::/8',
  '255.255.255.255/32',
  // Metadata and control services of clouds that have addresses of their own: Alibaba, Azure, Oracle, AWS, Google, Scaleway.
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  'fd00:42::42/128',
  // An IPv4 address inside, which a network of IPv6 would let through: IPv4-compatible (and ::), IPv4-translated, NAT64, 6to4, Teredo.
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
].map(parseCidr);

/**
 * RFC 8555 section 10.4: whom strangers can make this server connect to. An IPv4-mapped address is the IPv4 address. Loopback is permitted by a
 * network that lies in it, never by a larger one. Throws `config` for what is no network.
 */
export function permittedIn(networks: readonly string[]): AddressGuard {
  const ranges = networks.map(parseCidr);
  const loopbackRanges = ranges.filter(isLoopback);
  return (text) => {
    const address = plainAddress(text);
    if (address === null) return null;
    if (isInside(loopback, address)) return isInside(loopbackRanges, address) ? address : null;
    return !isInside(never, address) && isInside(ranges, address) ? address : null;
  };
}

function plainAddress(text: string): string | null {
  if (isIP(text) === 0 || text.includes('%')) return null;
  const octets = parseIpAddress(text);
  return formatIpAddress(isMapped(octets) ? octets.subarray(12) : octets);
}

function isInside(ranges: readonly Cidr[], address: string): boolean {
  return ranges.some((range) => cidrContains(range, address));
}

function isLoopback(range: Cidr): boolean {
  return loopback.some(
    (whole) => range.prefixLength >= whole.prefixLength && cidrContains(whole, formatIpAddress(range.bytes)),
  );
}
