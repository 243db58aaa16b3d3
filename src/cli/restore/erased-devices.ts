import type { LogReader } from '#audit';
import { type ErasedEntries, readEntries } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import { membersOf } from './members.ts';

/** Of which a log gives what is beside them at once. */
const entriesAtOnce = 256;

/**
 * The devices that were erased after the backup, by what the backup still has of them: only what is retired is erased, and the lines that said so went
 * with their names where the receiver purged them. What names one device alone says which it was; a list of several does not.
 */
export async function erasedDevices(
  { log, origin }: Pick<ReadOnlyStorage, 'log' | 'origin'>,
  erased: readonly ErasedEntries[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (erased.length === 0) return found;
  const readers = new Map<string, { readonly reader: LogReader; readonly size: number }>();
  for (const each of await log.earlier()) readers.set(each.origin, { reader: each, size: each.head.size });
  readers.set(await origin(), { reader: log, size: (await log.head()).size });
  for (const { log: of, indexes } of erased) {
    const held = readers.get(of);
    if (held === undefined) continue;
    for (const [first, last] of indexes) {
      const end = Math.min(last + 1, held.size);
      for (let from = first; from < end; from += entriesAtOnce) {
        const to = Math.min(from + entriesAtOnce, end);
        for (const { entry } of await readEntries(held.reader, from, to)) {
          const device = deviceOf(entry);
          if (typeof device === 'string') found.add(device);
        }
      }
    }
  }
  return found;
}

function deviceOf(entry: Readonly<Record<string, unknown>>): unknown {
  if (entry['type'] === 'request') return membersOf(entry['certificate'])['deviceId'];
  const { device, deviceId } = membersOf(entry['detail']);
  return device ?? deviceId;
}
