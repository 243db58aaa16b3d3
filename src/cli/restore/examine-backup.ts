import {
  checkAgainstPublished,
  decodeEntry,
  type NoteVerifier,
  openCheckpoint,
  parseVerifierKey,
  type TreeHead,
} from '#audit';
import { isSallyportError, SallyportError } from '#errors';
import { openSqliteReadOnly, type ReadOnlyStorage } from '#storage';
import type { SealedManifest } from '../backup/manifest.ts';
import { type LogReport, originOf, verifyAuthorityLog } from '../verify/verify-authority-log.ts';
import type { OpenedBackup } from './open-backup.ts';
import { readSiemExport, type SiemExport } from './siem-export.ts';

export interface Examination {
  readonly report: LogReport;
  /** The checkpoint outside the database, where it is of this log. */
  readonly published: (TreeHead & { readonly note: string }) | null;
  /** Entries that were published and are not in the backup. */
  readonly beyond: number;
  readonly siem: SiemExport | null;
  /** Of the newest entry known. */
  readonly newestTime: number;
}

/**
 * All that can be said of a backup before it is used: its log from the first entry to the last, what was published after it, and what the SIEM
 * has of that. Where `report` has findings, the rest was not looked at. Throws 'log'.
 */
export async function examineBackup(
  copy: string,
  { manifest, verifierKey }: OpenedBackup,
  outside: {
    readonly published: string | null;
    readonly siemExport: string | null;
    readonly now: number;
    readonly progress: (done: number, size: number) => void;
  },
): Promise<Examination> {
  const storage = await openSqliteReadOnly(copy);
  try {
    const { checkpoint, origin } = manifest;
    const report = await verifyAuthorityLog({ storage, checkpoint, verifierKey, progress: outside.progress });
    const nothing = { published: null, beyond: 0, siem: null, newestTime: 0 };
    if (!report.ok) return { report, ...nothing };
    demandSame(report, manifest);
    const published = await publishedOf(outside.published, origin, parseVerifierKey(verifierKey), storage);
    const isBeyond = published !== null && published.size > manifest.size;
    const siem =
      outside.siemExport === null
        ? null
        : await readSiemExport(outside.siemExport, {
            origin,
            size: manifest.size,
            range: (await storage.log.head()).range,
            log: storage.log,
            published: isBeyond ? published : null,
            now: outside.now,
          });
    return {
      report,
      published,
      beyond: isBeyond ? published.size - manifest.size : 0,
      siem,
      newestTime: Math.max(await newestTime(storage, manifest.size), siem?.newestTime ?? 0),
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

/** What this log published last must go on from the backup, or be a part of it. */
async function publishedOf(
  note: string | null,
  origin: string,
  verifier: NoteVerifier,
  storage: ReadOnlyStorage,
): Promise<Examination['published']> {
  if (note === null || originOf(note) !== origin) return null;
  try {
    const { size, root } = openCheckpoint(note, verifier);
    if (size <= (await storage.log.head()).size) {
      await checkAgainstPublished(storage.log, { read: async () => note }, verifier);
    }
    return { size, root, note };
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError(
      'log',
      `the checkpoint outside the database is not of this backup: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

async function newestTime({ log }: ReadOnlyStorage, size: number): Promise<number> {
  const [newest] = size === 0 ? [] : await log.entries(size - 1, size);
  const time = newest === undefined ? 0 : decodeEntry(newest.bytes)['time'];
  return typeof time === 'number' ? time : 0;
}
