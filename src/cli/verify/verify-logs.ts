import {
  decodeEntry,
  leafHash,
  type LogReader,
  type LogVerification,
  type NoteVerifier,
  type StoredBlob,
  type StoredEntry,
  tileWidth,
  verifyLog,
} from '#audit';
import { type Entry, type ReadEntry, readEntry, type RequestEntry, RequestReplay } from '#enrollment';
import { isSallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';
import { AcmeComparison } from './compare-acme.ts';
import { BlobComparison, type NamingBlobs } from './compare-blobs.ts';
import { CertificateComparison, type Position } from './compare-certificates.ts';
import { CrlComparison } from './compare-crls.ts';
import { DeviceComparison } from './compare-devices.ts';
import { ErasureComparison } from './compare-erasures.ts';
import { GrantComparison } from './compare-grants.ts';
import { OwnCertificateComparison } from './compare-own-certificates.ts';
import { UnseenComparison } from './compare-unseen.ts';
import { VerifiedEvidenceComparison } from './compare-verified-evidence.ts';
import type { Findings } from './findings.ts';
import type { LogOfStorage } from './logs-of.ts';

/** All logs of a database, one after the other: a certificate of an earlier one may be revoked in a later one. */
export class LogsVerification {
  /** Of the log verified last. */
  counts = { request: 0, act: 0, call: 0, authority: 0 };
  readonly #storage: ReadOnlyStorage;
  readonly #logs: readonly LogOfStorage[];
  readonly #findings: Findings;
  readonly #replay: RequestReplay;
  readonly #erasures: ErasureComparison;
  readonly #lost = new UnseenComparison('was revoked at a restore', 'no restore in the log revoked it');
  readonly #abandoned = new UnseenComparison(
    'was revoked with its abandoned intent',
    'no intent of it was abandoned in the log',
  );
  readonly #grants: GrantComparison;
  readonly #acme: AcmeComparison;
  readonly #evidence: VerifiedEvidenceComparison;
  readonly #devices: DeviceComparison;
  readonly #crls: CrlComparison;
  readonly #own: OwnCertificateComparison;
  readonly #progress: () => void;
  readonly #certificates: CertificateComparison;

  private constructor(
    storage: ReadOnlyStorage,
    logs: readonly LogOfStorage[],
    findings: Findings,
    progress: () => void,
    certificates: CertificateComparison,
  ) {
    this.#storage = storage;
    this.#logs = logs;
    this.#findings = findings;
    this.#replay = new RequestReplay(storage);
    this.#progress = progress;
    this.#certificates = certificates;
    const say = (position: Position | null, message: string) => report(logs, findings, position, message);
    this.#erasures = new ErasureComparison(say);
    this.#grants = new GrantComparison(storage, say);
    this.#acme = new AcmeComparison(storage, logs.at(-1)!.number, say);
    this.#evidence = new VerifiedEvidenceComparison(say);
    this.#devices = new DeviceComparison(storage, say);
    this.#crls = new CrlComparison(storage, say);
    this.#own = new OwnCertificateComparison(storage, say);
  }

  static async start(
    storage: ReadOnlyStorage,
    logs: readonly LogOfStorage[],
    findings: Findings,
    progress: (done: number, size: number) => void,
  ): Promise<LogsVerification> {
    const size = logs.reduce((sum, { head }) => sum + head.size, 0);
    let done = 0;
    const certificates = await CertificateComparison.start(storage.certificates(), (position, message) =>
      report(logs, findings, position, message),
    );
    const count = () => progress((done += 1), size);
    return new LogsVerification(storage, logs, findings, count, certificates);
  }

  get certificates(): number {
    return this.#certificates.count;
  }

  get erased(): number {
    return this.#erasures.count;
  }

  get erasedAndBack(): number {
    return this.#erasures.again;
  }

  /** The oldest first. `key`: null where nothing says which it is. */
  async verify(
    log: LogOfStorage,
    key: { readonly verifierKey: string; readonly verifier: NoteVerifier } | null,
    checkpoint: string | null,
  ): Promise<LogVerification> {
    this.counts = { request: 0, act: 0, call: 0, authority: 0 };
    this.#checkFirst(log, key?.verifierKey ?? null);
    this.#erasures.begin(log);
    const blobs = new BlobComparison(log.reader, (logIndex, message) =>
      report(this.#logs, this.#findings, { log: log.number, logIndex }, message),
    );
    const verification = await verifyLog({
      entries: readEntries(log.reader, log.head.size),
      head: log.head,
      subtrees: log.reader.hashes,
      ...(checkpoint === null || key === null
        ? {}
        : { checkpoint: { note: checkpoint, verifier: key.verifier } }),
      onEntry: async ({ index, bytes }) => {
        await this.#entry({ log: log.number, logIndex: index }, bytes, blobs);
        this.#progress();
      },
    });
    for (const { index, message } of verification.problems) {
      report(this.#logs, this.#findings, { log: log.number, logIndex: index }, message);
    }
    return verification;
  }

  async end(): Promise<void> {
    await this.#certificates.end();
    await this.#erasures.end();
    await this.#grants.end();
    await this.#acme.end();
    await this.#devices.end();
    await this.#crls.end();
    await this.#own.end();
    const say = (position: Position | null, message: string) =>
      report(this.#logs, this.#findings, position, message);
    await this.#lost.end(await this.#storage.lostCertificates(), say);
    await this.#abandoned.end(this.#storage.abandonedIntents(), say);
  }

  async #entry(position: Position, bytes: Uint8Array, blobs: BlobComparison): Promise<void> {
    const leaf = readLeaf(bytes);
    if (typeof leaf === 'string') {
      report(this.#logs, this.#findings, position, leaf);
      await this.#certificates.entry(position, null);
      // Nobody can say what it names beside it.
      return;
    }
    const read = opened(bytes, await blobs.beside(position.logIndex));
    // Without its personal fields it is what its leaf is.
    const entry = typeof read === 'string' ? leaf : read.entry;
    this.counts[entry.type] += 1;
    const objection =
      typeof read === 'string'
        ? read
        : entry.type === 'request'
          ? await this.#replay.objectionTo(entry, read.document === 'absent' ? 'leaf' : 'whole')
          : null;
    if (objection !== null) report(this.#logs, this.#findings, position, objection);
    const isAbsent = await blobs.entry(position.logIndex, leaf);
    const certified =
      isAbsent && objection === null && entry.type === 'request' && entry.outcome === 'issued'
        ? await this.#replay.certified(entry)
        : null;
    await this.#certificates.entry(position, issuedBy(entry), isAbsent, certified);
    await this.#erasures.entry(position, entry, isAbsent);
    // What nothing is objected to has its observations.
    if (objection === null) {
      await this.#grants.entry(position, entry, await this.#neededApproval(entry));
      await this.#acme.entry(position, entry, isAbsent);
      this.#evidence.entry(position, entry);
    }
    this.#devices.entry(position, entry);
    this.#crls.entry(position, entry);
    this.#own.entry(position, entry);
    const revoked = revokedBy(entry);
    if (revoked !== null) this.#certificates.revoked(position, revoked);
    if (entry.type === 'authority' && entry.event === 'certificate.lost') {
      this.#lost.entry(position, entry.detail);
    } else if (entry.type === 'authority' && entry.event === 'intent.abandoned') {
      this.#abandoned.entry(position, entry.detail);
    }
  }

  async #neededApproval(entry: Entry): Promise<boolean> {
    return (
      entry.type === 'request' && entry.outcome === 'issued' && (await this.#replay.neededApproval(entry))
    );
  }

  /** Entry 0 says which authority and which log this is; of a log that began at a restore, which one it follows. */
  #checkFirst({ number, head, first }: LogOfStorage, verifierKey: string | null): void {
    if (head.size === 0) return;
    const words =
      typeof first === 'string'
        ? first
        : (first.previous === null) !== (number === 0)
          ? `the log does not begin with ${number === 0 ? "the authority's creation" : 'a restore'}`
          : verifierKey !== null && first.log !== verifierKey
            ? 'the log was created under another public key'
            : null;
    if (words !== null) report(this.#logs, this.#findings, { log: number, logIndex: 0 }, words);
  }
}

/** What is wrong with a log that ended is said with its name. */
function report(
  logs: readonly LogOfStorage[],
  findings: Findings,
  position: { readonly log: number; readonly logIndex: number | null } | null,
  message: string,
): void {
  const log = logs.find(({ number }) => number === position?.log);
  const words = log === undefined || log === logs.at(-1) ? message : `${log.origin}: ${message}`;
  findings.add(position?.logIndex ?? null, words);
}

/** With the hashes stored beside them, tile by tile. */
async function* readEntries(reader: LogReader, size: number): AsyncGenerator<StoredEntry> {
  for (let from = 0; from < size; from += tileWidth) {
    const to = Math.min(from + tileWidth, size);
    const [entries, hashes] = await Promise.all([reader.entries(from, to), reader.hashes.read(0, from, to)]);
    for (const { index, bytes } of entries) {
      const stored = hashes[index - from];
      // A missing hash cannot be compared; what it would have said of the entry, the root says too.
      yield { index, bytes, leafHash: stored ?? leafHash(bytes) };
    }
  }
}

/** The entry as the tree has it, or why it is none. */
function readLeaf(bytes: Uint8Array): (Entry & NamingBlobs) | string {
  try {
    const leaf = decodeEntry(bytes) as unknown as Entry & NamingBlobs;
    const known =
      ['request', 'act', 'call', 'authority'].includes(leaf.type) &&
      (leaf.version === 2 || (leaf.version === 1 && leaf.sealed === undefined));
    return known ? leaf : 'the entry is of a kind or version that this program does not know';
  } catch (error) {
    return `the entry does not decode: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** With its personal fields, where they are there; in words why they are not its own. */
function opened(
  bytes: Uint8Array,
  blobs: readonly StoredBlob[],
): { readonly entry: Entry; readonly document: ReadEntry['document'] } | string {
  try {
    const { entry, document } = readEntry(bytes, blobs);
    return { entry: entry as unknown as Entry, document };
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return `its personal fields are not those that it names: ${error.message}`;
  }
}

function issuedBy(entry: Entry): RequestEntry['certificate'] {
  return entry.type === 'request' && entry.outcome === 'issued' ? entry.certificate : null;
}

/** By an operator, by who has it (ACME), or again at a restore. */
function revokedBy(entry: Entry): string | null {
  const revokes =
    (entry.type === 'act' && entry.act === 'certificate.revoke') ||
    (entry.type === 'authority' && entry.event === 'certificate.revoked');
  if (entry.type === 'request') {
    if (entry.outcome === 'withdrawn') return entry.certificate?.sha256 ?? null;
    return entry.outcome === 'revoked' ? String(entry.detail?.['sha256']) : null;
  }
  return revokes ? String(entry.detail['sha256']) : null;
}
