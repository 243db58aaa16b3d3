import { SallyportError } from '#errors';

/**
 * Sizes and indexes are numbers: exact to 2^53. What is computed with them divides, since shifts cut to 32
 * bits.
 */
export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** C2SP tlog-checkpoint: "the ASCII decimal representation …, with no leading zeroes (unless … `0`)". */
export function parseTreeSize(text: string): number {
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!isTreeSize(value)) {
    throw new SallyportError('malformed', 'not a decimal number without leading zeroes below 2^53');
  }
  return value;
}

/** The k of RFC 9162 section 2.1.1: the largest power of two smaller than `size`, which is at least 2. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
