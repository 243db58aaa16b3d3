import { SallyportError } from '#errors';

/** RFC 5280 section 4.1.2.2: "Conforming CAs MUST NOT use serialNumber values longer than 20 octets." */
export const serialNumberOctets = 20;

/**
 * Positive, of exactly 20 octets: the first bit is 0 for the sign, the second 1 so that no leading zero shortens it,
 * 158 bits are random. Lower case hex.
 */
export function randomSerialNumber(random: (octets: number) => Uint8Array): string {
  const octets = new Uint8Array(random(serialNumberOctets));
  if (octets.length !== serialNumberOctets) {
    throw new SallyportError(
      'internal',
      `the source of randomness gave ${octets.length} octets, not ${serialNumberOctets}`,
    );
  }
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return octets.toHex();
}
