import { checkAgainstPublished, decodeEntry, parseVerifierKey } from '#audit';
import { isSallyportError, SallyportError } from '#errors';
import { type Afterwards, openSqliteReadOnly, type ReadOnlyStorage } from '#storage';
import type { SealedManifest } from '../backup/manifest.ts';
import { type LogReport, verifyAuthorityLog } from '../verify/verify-authority-log.ts';
import { afterwardsOf } from './afterwards.ts';
import { backupLogs } from './backup-logs.ts';
import { erasedDevices } from './erased-devices.ts';
import type { OpenedBackup } from './open-backup.ts';
import { newestOf, type OutsideNote, publishedHeads, type PublishedLog } from './published-logs.ts';
import { readSiemExport, type SiemExport } from './siem-export.ts';

export interface Examination {
  readonly report: LogReport;
  /** What the backup's own log published last, where that is known. */
  readonly published: PublishedLog | null;
  /** Logs that began after the backup, when it or one before it was restored, by their newest checkpoints. */
  readonly later: readonly PublishedLog[];
  /** All of which that was found, older ones of several nodes too. */
  readonly outside: readonly PublishedLog[];
  /** Those of `later` of which the export does not have all that was published. */
  readonly unknown: readonly string[];
  /** Entries that were published, of whichever log, and are not in the backup. */
  readonly beyond: number;
  readonly siem: SiemExport | null;
  readonly afterwards: Afterwards;
  /** The authority's own: it never runs backwards, on a new machine neither. */
  readonly time: number;
}

export interface Outside {
  readonly notes: readonly OutsideNote[];
  /** Verifier keys that may have signed for a log. */
  readonly keysOf: (origin: string) => readonly string[];
  readonly siemExport: string | null;
  readonly now: number;
  readonly progress: (done: number, size: number) => void;
}

const nothing = {
  published: null,
  later: [],
  outside: [],
  unknown: [],
  beyond: 0,
  siem: null,
  afterwards: afterwardsOf([], { from: 0, to: 0 }),
} as const;

/**
 * All that can be said of a backup before it is used: its log from the first entry to the last, what was published after it, and what the SIEM
 * has of that. Where `report` has findings, the rest was not looked at. Throws 'log'.
 */
export async function examineBackup(
  copy: string,
  { manifest, verifierKey }: OpenedBackup,
  { notes, keysOf, siemExport, now, progress }: Outside,
): Promise<Examination> {
  const storage = await openSqliteReadOnly(copy);
  try {
    const { checkpoint, origin, size } = manifest;
    const report = await verifyAuthorityLog({ storage, checkpoint, verifierKey, progress });
    if (!report.ok) return { report, ...nothing, time: now };
    demandSame(report, manifest);
    const logs = await backupLogs(storage);
    const heads = publishedHeads(notes, origin, (of) =>
      logs.logOf(of)?.role === 'before' ? [] : keysOf(of),
    );
    // Each node keeps one: none of them may be of another log, however old it is.
    for (const head of heads) if (head.origin === origin) await demandPartOf(head, verifierKey, storage);
    const outside = newestOf(heads);
    const published = outside.get(origin) ?? null;
    const later = [...outside.values()].filter((log) => log.origin !== origin);
    const siem = siemExport === null ? null : await readSiemExport(siemExport, logs, outside);
    const retired = [...(await erasedDevices(storage, siem?.erased ?? []))].map((device) => ({
      event: { kind: 'device', device, to: 'retired' } as const,
      proven: true,
    }));
    const from = await newestTime(storage, size);
    const time = Math.max(now, from, siem?.newestTime ?? 0);
    return {
      report,
      published,
      later,
      outside: heads,
      unknown: later.flatMap((log) => (siem?.whole.has(log.origin) === true ? [] : [log.origin])),
      beyond: later.reduce((sum, log) => sum + log.size, Math.max(0, (published?.size ?? 0) - size)),
      siem,
      afterwards: afterwardsOf([...(siem?.told ?? []), ...retired], { from, to: time }),
      time,
    };
  } finally {
    await storage.close();
  }
}

function demandSame({ size, root }: LogReport, manifest: SealedManifest): void {
  if (size === manifest.size && root === manifest.root) return;
  throw new SallyportError(
    'log',
    `the backup has a log of ${size} entries, and its manifest one of ${manifest.size}`,
  );
}

/** What this log published last goes on from the backup, which only the export can show, or is a part of it. */
async function demandPartOf(
  { size, note }: PublishedLog,
  verifierKey: string,
  storage: ReadOnlyStorage,
): Promise<void> {
  if (size > (await storage.log.head()).size) return;
  try {
    await checkAgainstPublished(storage.log, { read: async () => note }, parseVerifierKey(verifierKey));
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError(
      'log',
      `the checkpoint outside the database is not of this backup: ${cause.message}`,
      { cause },
    );
  }
}

async function newestTime({ log }: ReadOnlyStorage, size: number): Promise<number> {
  const [newest] = size === 0 ? [] : await log.entries(size - 1, size);
  const time = newest === undefined ? 0 : decodeEntry(newest.bytes)['time'];
  return typeof time === 'number' ? time : 0;
}
