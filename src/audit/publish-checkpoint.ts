import { isSallyportError, SallyportError } from '#errors';
import { formatCheckpoint, openCheckpoint } from './checkpoint.ts';
import { CompactRange } from './compact-range.ts';
import { consistencyProof, verifyConsistency } from './consistency-proof.ts';
import { type NoteSigner, signNote } from './signed-note.ts';
import type { LogStore } from './store.ts';
import { treeRoot } from './tile-hashes.ts';
import { sameHash } from './tree-hash.ts';
import type { TreeHead } from './tree-head.ts';
import type { NoteVerifier } from './verifier-key.ts';

/** A place outside the database where checkpoints are kept. `write` is durable and all or nothing. */
export interface CheckpointFile {
  read(): Promise<string | null>;
  write(note: string): Promise<void>;
}

/** The same for several who share it: each keeps its own newest, and all are read. Throws 'store' where it cannot be reached. */
export interface CheckpointAnchor {
  read(): Promise<readonly string[]>;
  write(note: string): Promise<void>;
}

/** The log to be published, and everything that says what was published of it before. */
export interface Publication {
  readonly log: LogStore;
  readonly file: CheckpointFile;
  /** null: there is one node, and its file is enough. */
  readonly anchor: CheckpointAnchor | null;
  readonly signer: NoteSigner;
  readonly verifier: NoteVerifier;
}

/**
 * Signs the head when it has moved, and only where all that was published before is the beginning of it: an older state of the database, put in
 * place under a running authority, is not signed. The note is kept outside the database before anybody is shown it. Returns what is published now.
 *
 * @param published what this process published last; null: nothing yet
 * @throws SallyportError 'log' where the log is smaller than what was published, or another one; what the places throw, and then nothing was signed
 */
export async function publishCheckpoint(
  published: TreeHead | null,
  { log, file, anchor, signer, verifier }: Publication,
): Promise<TreeHead> {
  if (published !== null && (await demandUnbroken(published, log)).size === published.size) return published;
  const kept = [await file.read(), ...((await anchor?.read()) ?? [])].filter((note) => note !== null);
  // What cannot be read is no proof that the log is another one: nothing is signed, and nothing ended.
  const before = [...new Set(kept)].map((note) => openPublished(note, verifier, 'store'));
  if (published !== null) before.push(published);
  // Read behind the notes: another node may sign meanwhile, and what it signed was in the database before.
  const head = await headOf(log);
  for (const each of before) await demandPrefix(each, head, log);
  const note = await signNote(formatCheckpoint({ origin: signer.name, ...head }), signer);
  await file.write(note);
  await anchor?.write(note);
  await log.saveNote(head.size, note);
  return head;
}

/**
 * The log must hold all that was published of it, unchanged: a smaller one (an old copy was put in its place) and another one are refused.
 * Returns its head.
 *
 * @throws SallyportError 'log'
 */
export async function demandUnbroken(
  published: TreeHead,
  log: Pick<LogStore, 'head' | 'hashes'>,
): Promise<TreeHead> {
  const head = await headOf(log);
  await demandPrefix(published, head, log);
  return head;
}

/**
 * At start: the log in the database must hold all that was last published outside it. A note there must be: every log is published when it begins.
 * Returns what that checkpoint is of.
 */
export async function checkAgainstPublished(
  log: Pick<LogStore, 'head' | 'hashes'>,
  file: Pick<CheckpointFile, 'read'>,
  verifier: NoteVerifier,
): Promise<TreeHead> {
  const note = await file.read();
  if (note === null) {
    throw new SallyportError(
      'log',
      'the log has published checkpoints, and the file that keeps the newest one is missing: put it back',
    );
  }
  return checkNote(note, log, verifier);
}

/** The same for one note. */
export async function checkNote(
  note: string,
  log: Pick<LogStore, 'head' | 'hashes'>,
  verifier: NoteVerifier,
): Promise<TreeHead> {
  const published = openPublished(note, verifier, 'log');
  const head = await headOf(log);
  if (published.size <= head.size && !sameHash(await treeRoot(head.size, log.hashes), head.root)) {
    throw new SallyportError('log', "the log's head does not fit its entries");
  }
  await demandPrefix(published, head, log);
  return published;
}

async function headOf(log: Pick<LogStore, 'head'>): Promise<TreeHead> {
  const { size, range } = await log.head();
  return { size, root: CompactRange.restore(size, range).root() };
}

async function demandPrefix(
  published: TreeHead,
  head: TreeHead,
  log: Pick<LogStore, 'hashes'>,
): Promise<void> {
  if (published.size > head.size) {
    throw new SallyportError(
      'log',
      `the log has ${head.size} entries, and ${published.size} were published: this is an older copy of it`,
    );
  }
  if (published.size === 0) return;
  try {
    const proof = await consistencyProof(published.size, head.size, log.hashes);
    verifyConsistency({ from: published, to: head, proof });
  } catch (cause) {
    // A database that cannot be read proves nothing, neither way.
    if (isSallyportError(cause, 'store')) throw cause;
    throw new SallyportError(
      'log',
      `the first ${published.size} entries of the log are not those that were published`,
      { cause },
    );
  }
}

function openPublished(note: string, verifier: NoteVerifier, code: 'log' | 'store'): TreeHead {
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    const words = `the checkpoint kept outside the database is refused: ${cause.message}; put back the one that this log published last`;
    throw new SallyportError(code, words, { cause });
  }
}
