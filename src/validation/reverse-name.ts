import { parseIpAddress } from '#x509';

/** RFC 1034 section 5.2.1, RFC 3596 section 2.5: the name under IN-ADDR.ARPA or IP6.ARPA. */
export function reverseName(address: string): string {
  const octets = parseIpAddress(address);
  return octets.length === 4
    ? `${octets.toReversed().join('.')}.in-addr.arpa`
    : `${[...octets.toHex()].toReversed().join('.')}.ip6.arpa`;
}
