import {
  CompactRange,
  decodeEntry,
  leafHash,
  type LogProblem,
  type StoredEntry,
  tileWidth,
  parseVerifierKey,
  verifyLog,
} from '#audit';
import type { AuthorityEntry, Entry, RequestEntry } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import { BlobComparison } from './compare-blobs.ts';
import { CertificateComparison } from './compare-certificates.ts';
import { Findings } from './findings.ts';
import { RequestReplay } from './replay-requests.ts';

export interface LogReport {
  readonly ok: boolean;
  /** Recomputed. */
  readonly size: number;
  /** Base64, as checkpoints write it. */
  readonly root: string;
  readonly requests: number;
  readonly acts: number;
  readonly certificates: number;
  readonly findings: readonly LogProblem[];
}

export interface LogToVerify {
  readonly storage: ReadOnlyStorage;
  /** What was kept outside the database; null: it is missing. Read before the database was opened, so it cannot be ahead of it. */
  readonly checkpoint: string | null;
  /** C2SP verifier key. */
  readonly verifierKey: string;
  readonly progress: (done: number, size: number) => void;
}

/** Every hash, every verdict, every certificate; nothing is believed that can be recomputed. */
export async function verifyAuthorityLog({
  storage,
  checkpoint,
  verifierKey,
  progress,
}: LogToVerify): Promise<LogReport> {
  const findings = new Findings();
  const report = (index: number | null, message: string) => findings.add(index, message);
  const verifier = parseVerifierKey(verifierKey);
  const origin = await storage.origin();
  if (origin !== verifier.name) report(null, `the database holds the log ${origin}, not ${verifier.name}`);
  if (checkpoint === null) {
    report(null, 'the checkpoint file is missing: nothing shows that the tail of the log is whole');
  }

  const replay = new RequestReplay(storage);
  const certificates = await CertificateComparison.start(storage.certificates(), report);
  const blobs = new BlobComparison(storage.log, report);
  const counts = { request: 0, act: 0, authority: 0 };
  const { size, range } = await storage.log.head();
  const verification = await verifyLog({
    entries: readEntries(storage, size),
    head: { size, root: CompactRange.restore(size, range).root() },
    ...(checkpoint === null ? {} : { checkpoint: { note: checkpoint, verifier } }),
    async onEntry({ index, bytes }) {
      const entry = readEntry(bytes);
      if (typeof entry === 'string') report(index, entry);
      else {
        counts[entry.type] += 1;
        if (index === 0) checkFirst(entry, verifierKey, report);
        const objection = entry.type === 'request' ? await replay.objectionTo(entry) : null;
        if (objection !== null) report(index, objection);
      }
      await certificates.entry(index, typeof entry === 'string' ? null : issuedBy(entry));
      // Of an entry that cannot be read nobody can say what it names.
      if (typeof entry !== 'string') await blobs.entry(index, requestKeptBy(entry));
      const revoked = typeof entry === 'string' ? null : revokedBy(entry);
      if (revoked !== null) certificates.revoked(index, revoked);
      progress(index + 1, size);
    },
  });
  await certificates.end();
  const all = [...verification.problems, ...findings.list()].toSorted(
    (a, b) => (a.index ?? -1) - (b.index ?? -1),
  );
  return {
    ok: all.length === 0,
    size: verification.size,
    root: Buffer.from(verification.root).toString('base64'),
    requests: counts.request,
    acts: counts.act,
    certificates: certificates.count,
    findings: all,
  };
}

/** With the hashes stored beside them, tile by tile. */
async function* readEntries({ log }: ReadOnlyStorage, size: number): AsyncGenerator<StoredEntry> {
  for (let from = 0; from < size; from += tileWidth) {
    const to = Math.min(from + tileWidth, size);
    const [entries, hashes] = await Promise.all([log.entries(from, to), log.hashes.read(0, from, to)]);
    for (const { index, bytes } of entries) {
      const stored = hashes[index - from];
      // A missing hash cannot be compared; what it would have said of the entry, the root says too.
      yield { index, bytes, leafHash: stored ?? leafHash(bytes) };
    }
  }
}

/** The entry, or why it is none. */
function readEntry(bytes: Uint8Array): Entry | string {
  try {
    const entry = decodeEntry(bytes) as unknown as Entry;
    const known =
      (entry.type === 'request' || entry.type === 'act' || entry.type === 'authority') && entry.version === 1;
    return known ? entry : 'the entry is of a kind or version that this program does not know';
  } catch (error) {
    return `the entry does not decode: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function issuedBy(entry: Entry): RequestEntry['certificate'] {
  return entry.type === 'request' && entry.outcome === 'issued' ? entry.certificate : null;
}

function requestKeptBy(entry: Entry): RequestEntry['certificationRequest'] {
  return entry.type === 'request' ? (entry.certificationRequest ?? null) : null;
}

function revokedBy(entry: Entry): string | null {
  if (entry.type !== 'act' || entry.act !== 'certificate.revoke') return null;
  return String(entry.detail['sha256']);
}

/** Entry 0 says which authority and which log this is. */
function checkFirst(
  entry: Entry,
  verifierKey: string,
  report: (index: number, message: string) => void,
): void {
  const created: AuthorityEntry | null =
    entry.type === 'authority' && entry.event === 'created' ? entry : null;
  if (created === null) report(0, "the log does not begin with the authority's creation");
  else if (created.detail['log'] !== verifierKey) report(0, 'the log was created under another public key');
}
