import { SallyportError } from '#errors';
import { type Der, readDer } from '../der-node.ts';
import { tags } from '../der-tags.ts';
import { der } from '../der-writer.ts';

/** KeyUsage bits in order (RFC 5280 section 4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

/** Throws `malformed` for an unknown name or none at all: "at least one of the bits MUST be set to 1". */
export function encodeKeyUsage(names: readonly string[]): Der {
  let bits = 0;
  let last = -1;
  for (const name of names) {
    const bit = (keyUsages as readonly string[]).indexOf(name);
    if (bit < 0) {
      throw new SallyportError('malformed', `no key usage is called ${JSON.stringify(name.slice(0, 80))}`);
    }
    bits |= 0x8000 >> bit;
    last = Math.max(last, bit);
  }
  if (last < 0) throw new SallyportError('malformed', 'KeyUsage: no bit is set');
  const octets = Uint8Array.of(bits >> 8, bits & 0xff).subarray(0, (last >> 3) + 1);
  return der.bitString(octets, 7 - (last & 7));
}

/**
 * The names of the bits set, in RFC 5280's order. Bits without a name are passed over, and trailing zero bits are let
 * pass against X.690 section 11.2.2: TPM vendors' CAs (Infineon, STMicroelectronics) have both.
 */
export function parseKeyUsage(value: Uint8Array): KeyUsage[] {
  const node = readDer(value);
  if (node.tag !== tags.bitString || node.contentLength > 3) {
    throw new SallyportError('malformed', 'KeyUsage: not a BIT STRING of at most 16 bits');
  }
  const [, low = 0, high = 0] = node.content;
  const bits = (low << 8) | high;
  if (bits === 0) throw new SallyportError('malformed', 'KeyUsage: no bit is set');
  return keyUsages.filter((_, bit) => (bits & (0x8000 >> bit)) !== 0);
}
