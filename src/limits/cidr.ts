import { SallyportError } from '#errors';
import { type IpAddress, parseIpAddress } from './ip-address.ts';

/** A range of addresses: those that share the first `prefixLength` bits with the address. */
export interface Cidr extends IpAddress {
  readonly prefixLength: number;
}

/**
 * RFC 4632 section 3.1, RFC 4291 section 2.3: `192.0.2.0/24`, `2001:db8::/32`. A lone address is a range of
 * one.
 */
export function parseCidr(text: string): Cidr {
  const [addressText = '', length, ...rest] = text.split('/');
  const address = addressText.includes('%') ? null : parseIpAddress(addressText);
  if (address === null || rest.length > 0 || (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length))) {
    throw new SallyportError('config', `"${text}" is no address range: write 192.0.2.0/24 or 2001:db8::/32`);
  }
  if (address.version === 4 && addressText.includes(':')) {
    throw new SallyportError('config', `"${text}" is IPv4 in IPv6 form: write it as IPv4`);
  }
  const bits = address.bytes.length * 8;
  const prefixLength = length === undefined ? bits : Number(length);
  if (prefixLength > bits) {
    throw new SallyportError(
      'config',
      `"${text}": the prefix of an IPv${address.version} range has at most ${bits} bits`,
    );
  }
  const cidr: Cidr = { ...address, prefixLength };
  // A typing error more often than not, and then of a range that is another than was meant.
  if (!samePrefix(networkOf(cidr), address.bytes, bits)) {
    throw new SallyportError('config', `"${text}" has bits set behind its prefix`);
  }
  return cidr;
}

/** False for what is no address: this is for allow-lists. */
export function cidrContains(cidr: Cidr, address: string): boolean {
  const parsed = parseIpAddress(address);
  return parsed?.version === cidr.version && samePrefix(cidr.bytes, parsed.bytes, cidr.prefixLength);
}

function networkOf({ bytes, prefixLength }: Cidr): Uint8Array {
  return bytes.map((octet, at) => octet & prefixMask(prefixLength - at * 8));
}

function samePrefix(left: Uint8Array, right: Uint8Array, prefixLength: number): boolean {
  return left.every((octet, at) => ((octet ^ (right[at] ?? 0)) & prefixMask(prefixLength - at * 8)) === 0);
}

/** The mask of an octet of which `bits` belong to the prefix: none below 0, all above 8. */
function prefixMask(bits: number): number {
  return (0xff << (8 - Math.min(8, Math.max(0, bits)))) & 0xff;
}
