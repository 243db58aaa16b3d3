import { checkNote, type LogProblem, type NoteVerifier, parseVerifierKey } from '#audit';
import { originOf } from '#authority';
import { isSallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';
import { Findings } from './findings.ts';
import { linkOf, type LogOfStorage, logsOf } from './logs-of.ts';
import { LogsVerification } from './verify-logs.ts';

export interface LogReport {
  readonly ok: boolean;
  /** Recomputed: of the log that is written. */
  readonly size: number;
  /** Base64, as checkpoints write it. */
  readonly root: string;
  readonly requests: number;
  readonly acts: number;
  /** The logs that ended when a backup of them was restored, oldest first. */
  readonly earlier: readonly { readonly origin: string; readonly size: number; readonly root: string }[];
  /** Of all logs. */
  readonly certificates: number;
  /** Of all logs: entries whose personal fields an act erased. They were judged by their facts, and not derived. */
  readonly erased: number;
  /** Entries that had been erased after a backup that was restored, and are there again until their device is erased again. */
  readonly erasedAndBack: number;
  readonly findings: readonly LogProblem[];
}

export interface LogToVerify {
  readonly storage: ReadOnlyStorage;
  /** What was kept outside the database; null: it is missing. Read before the database was opened, so it cannot be ahead of it. */
  readonly checkpoint: string | null;
  /** What the nodes keep in their anchor, read as early. */
  readonly anchored?: readonly string[];
  /** One more, that was kept elsewhere, of a log that ended. */
  readonly earlierCheckpoint?: string | null;
  /** C2SP verifier key. */
  readonly verifierKey: string;
  readonly progress: (done: number, size: number) => void;
}

/** Every hash, every verdict, every certificate of every log that the database holds; nothing is believed that can be recomputed. */
export async function verifyAuthorityLog(asked: LogToVerify): Promise<LogReport> {
  const { storage, checkpoint, anchored = [], earlierCheckpoint = null, verifierKey, progress } = asked;
  const findings = new Findings();
  const verifier = parseVerifierKey(verifierKey);
  const origin = await storage.origin();
  if (origin !== verifier.name) {
    findings.add(null, `the database holds the log ${origin}, not ${verifier.name}`);
  }
  if (checkpoint === null) {
    findings.add(null, 'the checkpoint file is missing: nothing shows that the tail of the log is whole');
  }
  const logs = await logsOf(storage);
  const verification = await LogsVerification.start(storage, logs, findings, progress);
  if (earlierCheckpoint !== null) demandLogOf(earlierCheckpoint, logs, findings);
  for (const [at, log] of logs.slice(0, -1).entries()) {
    const report = (message: string) => findings.add(null, `${log.origin}: ${message}`);
    const key = linkOf(log, logs[at + 1]!, report);
    await verification.verify(log, key, log.ended);
    if (key !== null && earlierCheckpoint !== null && originOf(earlierCheckpoint) === log.origin) {
      await compareKept(log, earlierCheckpoint, key.verifier, report);
    }
  }
  const { size, root } = await verification.verify(logs.at(-1)!, { verifierKey, verifier }, checkpoint);
  for (const note of anchored) {
    await compareKept(logs.at(-1)!, note, verifier, (message) =>
      findings.add(null, `a checkpoint of the anchor: ${message}`),
    );
  }
  await verification.end();
  const all = findings.list().toSorted((a, b) => (a.index ?? -1) - (b.index ?? -1));
  return {
    ok: all.length === 0,
    size,
    root: base64(root),
    requests: verification.counts.request,
    acts: verification.counts.act,
    earlier: logs.slice(0, -1).map((log) => ({
      origin: log.origin,
      size: log.head.size,
      root: base64(log.head.root),
    })),
    certificates: verification.certificates,
    erased: verification.erased,
    erasedAndBack: verification.erasedAndBack,
    findings: all,
  };
}

function demandLogOf(note: string, logs: readonly LogOfStorage[], findings: Findings): void {
  if (logs.slice(0, -1).some(({ origin }) => origin === originOf(note))) return;
  findings.add(null, `the checkpoint is of a log that the database does not hold: ${originOf(note)}`);
}

/** What was published of a log, wherever it was kept, is the beginning of it. */
async function compareKept(
  { reader, head, range }: LogOfStorage,
  note: string,
  verifier: NoteVerifier,
  report: (message: string) => void,
): Promise<void> {
  const log = { head: async () => ({ size: head.size, range }), hashes: reader.hashes };
  try {
    await checkNote(note, log, verifier);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    report(error.message);
  }
}

function base64(root: Uint8Array): string {
  return Buffer.from(root).toString('base64');
}
