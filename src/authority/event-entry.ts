import { encodeEntry } from '#audit';
import { supportCode, type AuthorityEntry } from '#enrollment';

/** An entry for what the authority did by itself. */
export function eventEntry(
  event: string,
  detail: Record<string, unknown>,
  time: number,
  random: (n: number) => Uint8Array,
): Uint8Array {
  const entry: AuthorityEntry = {
    type: 'authority',
    version: 1,
    id: supportCode(random),
    time,
    event,
    detail,
  };
  return encodeEntry(entry);
}
