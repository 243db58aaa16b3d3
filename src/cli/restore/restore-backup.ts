import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  formatCheckpoint,
  type NoteSigner,
  parseVerifierKey,
  restoredOrigin,
  signNote,
  verifierKey as verifierKeyOf,
  verifierKeyFor,
} from '#audit';
import {
  anchorFile,
  assertEmptyDatabase,
  eventEntry,
  loadLogSigner,
  putDatabase,
  readAnchor,
  whileNobodyServes,
} from '#authority';
import type { Configuration, Environment } from '#config';
import { erasureUndone, inActs } from '#enrollment';
import { SallyportError } from '#errors';
import { openSqliteReadOnly, type Restored, restoreCopy } from '#storage';
import type { SealedManifest } from '../backup/manifest.ts';
import { readIfThere } from '../verify/configured-key.ts';
import { type LogReport, verifyAuthorityLog } from '../verify/verify-authority-log.ts';
import { type CheckpointPlace, exchangeCheckpoints, largestOf } from './checkpoint-exchange.ts';
import { type Examination, examineBackup } from './examine-backup.ts';
import { openBackup, type OpenedBackup } from './open-backup.ts';

export interface RestorePorts {
  readonly configuration: Configuration;
  readonly environment: Environment;
  readonly backup: string;
  readonly siemExport: string | null;
  /** C2SP verifier key of the backup's log, where it is not the configured key's. */
  readonly logKey: string | null;
  readonly now: number;
  readonly random: (n: number) => Uint8Array;
  readonly progress: (done: number, size: number) => void;
}

export interface Checked extends Examination {
  readonly manifest: SealedManifest;
}

export interface Done extends Checked {
  /** Of the log that begins; null: the backup does not verify, and nothing was done. */
  readonly origin: string | null;
  readonly restored: (Restored & { readonly checkpoint: string }) | null;
  /** The file that keeps what was published last. */
  readonly keptCheckpoint: string | null;
}

/** Looks at the backup and changes nothing, whether or not somebody serves. */
export async function checkBackup(ports: RestorePorts): Promise<Checked> {
  return inWorkFolder(ports.configuration, async (folder) => {
    const { opened, examination } = await examine(join(folder, 'copy.db'), ports);
    return { manifest: opened.manifest, ...examination };
  });
}

/**
 * The backup, verified and made into a new log's beginning, all of it in a copy; then the copy is put in place as a whole. Throws 'conflict' where
 * an authority is there, or runs.
 */
export async function restoreBackup(ports: RestorePorts): Promise<Done> {
  const { configuration, environment } = ports;
  return whileNobodyServes(configuration, () =>
    inWorkFolder(configuration, async (folder) => {
      await assertEmptyDatabase(configuration, environment);
      const copy = join(folder, 'copy.db');
      const { opened, examination, signer, outside } = await examine(copy, ports);
      const checked = { manifest: opened.manifest, ...examination };
      if (!examination.report.ok) return { ...checked, origin: null, restored: null, keptCheckpoint: null };
      const origin = restoredOrigin(opened.manifest.origin, ports.now, ports.random);
      const restored = await begin(copy, origin, opened, examination, signer, ports);
      const { kept, undo } = await exchangeCheckpoints(placesOf(configuration, outside, restored.checkpoint));
      try {
        await putDatabase(configuration, environment, copy);
      } catch (error) {
        await undo();
        throw error;
      }
      return { ...checked, origin, restored, keptCheckpoint: kept[0] ?? null };
    }),
  );
}

async function examine(copy: string, ports: RestorePorts) {
  const { configuration, environment, logKey, now, siemExport, progress } = ports;
  const signer = await loadLogSigner(configuration, environment);
  const outside = await readOutside(configuration);
  const published = largestOf([...outside.values()]);
  const keyOf = (origin: string) =>
    logKey === null ? verifierKeyOf(origin, signer.key.spki) : verifierKeyFor(origin, logKey);
  const opened = await openBackup(ports.backup, copy, keyOf);
  const examination = await examineBackup(copy, opened, { published, siemExport, now, progress });
  return { opened, examination, signer, outside };
}

/** Every checkpoint that is kept outside the database, by its file. */
async function readOutside({ log }: Configuration): Promise<ReadonlyMap<string, string>> {
  const own = await readIfThere(log.checkpointFile);
  const anchored = log.anchorFolder === null ? [] : await readAnchor(log.anchorFolder);
  return new Map([
    ...(own === null ? [] : [[log.checkpointFile, own] as const]),
    ...anchored.map(({ file, note }) => [file, note] as const),
  ]);
}

/** Where the new log's first checkpoint goes, and from where those of the old one go. */
function placesOf(
  configuration: Configuration,
  outside: ReadonlyMap<string, string>,
  note: string,
): CheckpointPlace[] {
  const { checkpointFile: file, anchorFolder } = configuration.log;
  const own = [file, ...(anchorFolder === null ? [] : [anchorFile(anchorFolder, configuration)])];
  const others = [...outside.keys()].filter((each) => !own.includes(each));
  return [
    ...own.map((each) => ({ file: each, published: outside.get(each) ?? null, note })),
    ...others.map((each) => ({ file: each, published: outside.get(each)!, note: null })),
  ];
}

async function begin(
  copy: string,
  origin: string,
  { manifest, verifierKey }: OpenedBackup,
  { published, siem, newestTime }: Examination,
  { key }: NoteSigner,
  { now, random }: RestorePorts,
): Promise<Restored & { checkpoint: string }> {
  // The authority's time never runs backwards, on a new machine neither.
  const time = Math.max(now, newestTime);
  const { size, root, checkpoint } = manifest;
  const own = verifierKeyOf(origin, key.spki);
  const detail = {
    log: own,
    previous: { origin: manifest.origin, log: verifierKey, size, root, checkpoint },
    // The newest that is known of it: beyond the backup, what was published and is not here any more.
    published: published === null ? null : { size: published.size, checkpoint: published.note },
    backup: { time: manifest.time, sha256: manifest.file.sha256, program: manifest.program },
    siemExport: siem === null ? null : { entries: siem.entries, missing: siem.missing, proven: siem.proven },
  };
  const afterwards = siem?.afterwards ?? { lost: [], revoked: [], stopped: [], crlNumbers: [] };
  const restored = await restoreCopy(
    copy,
    {
      origin,
      note: checkpoint,
      now: time,
      afterwards,
      detail,
      // Nobody knows whose they were: an operator erases the device again.
      more: inActs(siem?.erased ?? []).map((erased) => ({ event: erasureUndone, detail: { erased } })),
      entryOf: (event, about) => eventEntry(event, about, time, random),
    },
    (head) => signNote(formatCheckpoint({ origin, ...head }), { name: origin, key }),
  );
  await demandVerified(copy, restored.checkpoint, own);
  return restored;
}

/** What is put in place is what `log verify` will say is in order. */
async function demandVerified(copy: string, checkpoint: string, verifierKey: string): Promise<void> {
  const storage = await openSqliteReadOnly(copy);
  let report: LogReport;
  try {
    report = await verifyAuthorityLog({ storage, checkpoint, verifierKey, progress: () => {} });
  } finally {
    await storage.close();
  }
  if (report.ok) return;
  const words = report.findings.map(({ message }) => message).join('; ');
  throw new SallyportError(
    'log',
    `the new log ${parseVerifierKey(verifierKey).name} does not verify: ${words}`,
  );
}

/** Beside the database, so that what is finished can be put in place by its name alone. */
async function inWorkFolder<Result>(
  { authority }: Configuration,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(authority.data, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(authority.data, '.restore-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
