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
  assertEmptyDatabase,
  eventEntry,
  exchangeAnchor,
  loadLogSigner,
  notesInAnchor,
  prepareAnchor,
  putDatabase,
  whileNobodyServes,
} from '#authority';
import type { Configuration, Environment } from '#config';
import { erasureUndone, inActs, type OutsideHead } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import { openSqliteReadOnly, type Restored, restoreCopy } from '#storage';
import type { SealedManifest } from '../backup/manifest.ts';
import { type LogReport, verifyAuthorityLog } from '../verify/verify-authority-log.ts';
import { exchangeCheckpoint, prepareCheckpoint } from './checkpoint-exchange.ts';
import { type Examination, examineBackup } from './examine-backup.ts';
import { type Finished, finishRestore } from './finish-restore.ts';
import { openBackup, type OpenedBackup, readManifest } from './open-backup.ts';
import { outsideNotes } from './published-logs.ts';
import { demandCertificateLists } from './trial-crl.ts';
import { inWorkFolder } from './work-folder.ts';

export interface RestorePorts {
  readonly configuration: Configuration;
  readonly environment: Environment;
  readonly backup: string;
  readonly siemExport: string | null;
  /** C2SP verifier key of the backup's log, where it is not the configured key's. */
  readonly logKey: string | null;
  /** Logs that came after the backup and are given up, by their names. */
  readonly forget: readonly string[];
  readonly now: number;
  readonly random: (n: number) => Uint8Array;
  readonly progress: (done: number, size: number) => void;
}

export interface Checked extends Examination {
  readonly manifest: SealedManifest;
}

export interface Done extends Checked {
  readonly finished: false;
  /** Of the log that begins; null: the backup does not verify, and nothing was done. */
  readonly origin: string | null;
  readonly restored: (Restored & { readonly checkpoint: string }) | null;
  /** The file that keeps what was published last. */
  readonly keptCheckpoint: string | null;
  /** Those that keep what the nodes had in the anchor. */
  readonly keptInAnchor: readonly string[];
}

/** Looks at the backup and changes nothing, whether or not somebody serves. */
export async function checkBackup(ports: RestorePorts): Promise<Checked> {
  return inWorkFolder(ports.configuration.authority.data, 'check', ports.now, async (folder) => {
    const { opened, examination } = await examine(join(folder, 'copy.db'), ports);
    return { manifest: opened.manifest, ...examination };
  });
}

/**
 * The backup, verified and made into a new log's beginning, all of it in a copy; then the copy is put in place as a whole. A restore that ended
 * after that is finished. Throws 'conflict' where an authority is there, or runs, or where a log after the backup is not known and not given up.
 */
export async function restoreBackup(ports: RestorePorts): Promise<Done | Finished> {
  const { configuration, environment, now, backup } = ports;
  return whileNobodyServes(configuration, async () => {
    try {
      await assertEmptyDatabase(configuration, environment);
    } catch (error) {
      if (!isSallyportError(error, 'conflict')) throw error;
      const { manifest } = await readManifest(backup, keyOf(await signerOf(ports), ports));
      const finished = await finishRestore(configuration, environment, manifest);
      if (finished === null) throw error;
      return finished;
    }
    return inWorkFolder(configuration.authority.data, 'restore', now, (folder) =>
      restoreInto(join(folder, 'copy.db'), ports),
    );
  });
}

async function restoreInto(copy: string, ports: RestorePorts): Promise<Done> {
  const { configuration, environment } = ports;
  const { opened, examination, signer } = await examine(copy, ports);
  const checked = { finished: false, manifest: opened.manifest, ...examination } as const;
  if (!examination.report.ok) {
    return { ...checked, origin: null, restored: null, keptCheckpoint: null, keptInAnchor: [] };
  }
  demandKnown(examination, ports.forget);
  const origin = restoredOrigin(opened.manifest.origin, ports.now, ports.random);
  const restored = await begin(copy, origin, opened, examination, signer, ports);
  const file = configuration.log.checkpointFile;
  await prepareCheckpoint(file, restored.checkpoint);
  await prepareAnchor(configuration, restored.checkpoint);
  // From here on the answer may be lost: what is prepared stays, and the next restore finishes this one, or begins anew.
  await putDatabase(configuration, environment, copy);
  // The prepared one goes last: as long as it is there, the next restore finishes this one.
  const keptInAnchor = await exchangeAnchor(configuration, restored.checkpoint);
  return { ...checked, origin, restored, keptInAnchor, keptCheckpoint: await exchangeCheckpoint(file) };
}

/** A log after this backup may have revoked what the backup has as good: who gives it up says so. */
function demandKnown({ unknown }: Examination, forget: readonly string[]): void {
  const given = unknown.filter((origin) => !forget.includes(origin));
  if (given.length === 0) return;
  throw new SallyportError(
    'conflict',
    `this backup is older than the log ${given.join(' and ')}, of which not all is known here: restore a backup of that log, or give all its lines with --siem-export; ` +
      `where there are none, and what it issued and revoked is to be lost, --forget ${given.join(' ')}`,
  );
}

async function signerOf({ configuration, environment }: RestorePorts) {
  return loadLogSigner(configuration, environment);
}

function keyOf({ key }: NoteSigner, { logKey }: Pick<RestorePorts, 'logKey'>): (origin: string) => string {
  return (origin) => (logKey === null ? verifierKeyOf(origin, key.spki) : verifierKeyFor(origin, logKey));
}

async function examine(copy: string, ports: RestorePorts) {
  const { configuration, now, siemExport, progress } = ports;
  const signer = await signerOf(ports);
  const ofNode = await outsideNotes(configuration.log.checkpointFile);
  const notes = [...ofNode, ...(await notesInAnchor(configuration))];
  const ofBackup = keyOf(signer, ports);
  // A log that began at a restore has the configured key, whatever the one before it had.
  const keysOf = (origin: string) => [ofBackup(origin), verifierKeyOf(origin, signer.key.spki)];
  const opened = await openBackup(ports.backup, copy, ofBackup);
  const examination = await examineBackup(copy, opened, { notes, keysOf, siemExport, now, progress });
  return { opened, examination, signer };
}

async function begin(
  copy: string,
  origin: string,
  { manifest, verifierKey }: OpenedBackup,
  { published, later, outside, siem, afterwards, time }: Examination,
  { key }: NoteSigner,
  { configuration, random }: RestorePorts,
): Promise<Restored & { checkpoint: string }> {
  const { size, root, checkpoint } = manifest;
  const own = verifierKeyOf(origin, key.spki);
  const detail = {
    log: own,
    previous: { origin: manifest.origin, log: verifierKey, size, root, checkpoint },
    // The newest that is known of it: beyond the backup, what was published and is not here any more.
    published: published === null ? null : { size: published.size, checkpoint: published.note },
    later: later.map((log) => ({ origin: log.origin, size: log.size, checkpoint: log.note })),
    // A node that comes later shows one of these, or a part of the backup: of anything else nothing is known here.
    outside: distinct(outside),
    backup: { time: manifest.time, sha256: manifest.file.sha256, program: manifest.program },
    siemExport: siem?.counts ?? null,
  };
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
  const issuers = configuration.issuers.map(({ name }) => name);
  await demandVerified(copy, { checkpoint: restored.checkpoint, verifierKey: own, issuers });
  return restored;
}

function distinct(heads: Examination['outside']): readonly OutsideHead[] {
  const byText = new Map<string, OutsideHead>();
  for (const { origin, size, root } of heads) {
    const head = { origin, size, root: Buffer.from(root).toString('base64') };
    byText.set(JSON.stringify(head), head);
  }
  return [...byText.values()];
}

/** What is put in place is what `log verify` will say is in order, and what lists can be made of. */
async function demandVerified(
  copy: string,
  {
    checkpoint,
    verifierKey,
    issuers,
  }: { checkpoint: string; verifierKey: string; issuers: readonly string[] },
): Promise<void> {
  const storage = await openSqliteReadOnly(copy);
  let report: LogReport;
  try {
    await demandCertificateLists(storage, issuers);
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
