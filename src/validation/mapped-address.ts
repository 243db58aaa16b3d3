/** RFC 4291 section 2.5.5.2: the 16 octets are an IPv4 address. */
export function isMapped(octets: Uint8Array): boolean {
  return octets.length === 16 && octets.subarray(0, 12).toHex() === '00000000000000000000ffff';
}
