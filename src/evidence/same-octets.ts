import { timingSafeEqual } from 'node:crypto';

/** In a time that tells nothing of where they differ. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
