import type { NewEntry } from '#audit';
import { type AuthorityEntry, newEntry, supportCode } from '#enrollment';

/** An entry for what the authority did by itself. */
export function eventEntry(
  event: string,
  detail: Record<string, unknown>,
  time: number,
  random: (n: number) => Uint8Array,
): NewEntry {
  const entry: AuthorityEntry = {
    type: 'authority',
    version: 2,
    id: supportCode(random),
    time,
    event,
    detail,
  };
  return newEntry(entry, random);
}
