import { encodeEntry, type NewEntry } from '#audit';
import { supportCode, type AuthorityEntry } from '#enrollment';

/** An entry for what the authority did by itself. */
export function eventEntry(
  event: string,
  detail: Record<string, unknown>,
  time: number,
  random: (n: number) => Uint8Array,
): NewEntry {
  const entry: AuthorityEntry = {
    type: 'authority',
    version: 1,
    id: supportCode(random),
    time,
    event,
    detail,
  };
  return { bytes: encodeEntry(entry), blobs: [] };
}
