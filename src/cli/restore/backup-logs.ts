import { CompactRange, decodeEntry, firstOrigin, type LogReader } from '#audit';
import type { ReadOnlyStorage } from '#storage';
import { membersOf } from './members.ts';

/** What the backup has of one log. */
export interface HeldLog {
  readonly origin: string;
  /** In time: logs that the backup's own one followed, itself, and those that began when it, or one before it, was restored. */
  readonly role: 'before' | 'own' | 'after';
  readonly size: number;
  /** CompactRange, serialised. */
  readonly range: Uint8Array;
  /** null: it has nothing of it. */
  readonly reader: Pick<LogReader, 'hashes'> | null;
}

export interface BackupLogs {
  readonly origin: string;
  /** null: it is of another authority. */
  readonly logOf: (origin: string) => HeldLog | null;
}

/**
 * All logs of one authority have one first name. Which the backup's own follows, it says itself: by having them, or by naming in a first entry
 * those that were known outside when the log began, and that it has nothing of.
 */
export async function backupLogs(storage: ReadOnlyStorage): Promise<BackupLogs> {
  const origin = await storage.origin();
  const earlier = await storage.log.earlier();
  const own: HeldLog = { origin, role: 'own', ...(await storage.log.head()), reader: storage.log };
  const held = new Map<string, HeldLog>([[origin, own]]);
  for (const log of earlier) {
    held.set(log.origin, { origin: log.origin, role: 'before', ...log.head, reader: log });
  }
  const known = new Set<string>();
  for (const reader of [...earlier, storage.log]) {
    for (const name of await namedBy(reader)) known.add(name);
  }
  const nothing = { size: 0, range: CompactRange.empty().toBytes(), reader: null };
  return {
    origin,
    logOf: (asked) =>
      held.get(asked) ??
      (firstOrigin(asked) === firstOrigin(origin)
        ? { origin: asked, role: known.has(asked) ? 'before' : 'after', ...nothing }
        : null),
  };
}

async function namedBy(reader: LogReader): Promise<readonly string[]> {
  const [first] = await reader.entries(0, 1);
  const { later } = membersOf(first === undefined ? null : decodeEntry(first.bytes)['detail']);
  if (!Array.isArray(later)) return [];
  return later.map((log) => membersOf(log)['origin']).filter((origin) => typeof origin === 'string');
}
