import { SallyportError } from '#errors';

/** The octet at an offset that was checked before: past the end is a fault of ours, whatever the input. */
export function octetAt(bytes: Uint8Array, at: number): number {
  const octet = bytes[at];
  if (octet === undefined) throw new SallyportError('internal', `read at ${at} of ${bytes.length} octets`);
  return octet;
}

/** X.690 section 11.6: as octet strings, the shorter one padded with zeros. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) if (a[i] !== b[i]) return octetAt(a, i) - octetAt(b, i);
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** The octets as one big-endian number without sign. */
export function unsignedBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toHex()}`);
}
