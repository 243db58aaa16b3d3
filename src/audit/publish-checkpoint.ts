import { isSallyportError, SallyportError } from '#errors';
import { formatCheckpoint, openCheckpoint, type ParsedCheckpoint } from './checkpoint.ts';
import { CompactRange } from './compact-range.ts';
import { consistencyProof, verifyConsistency } from './consistency-proof.ts';
import { type NoteSigner, signNote } from './signed-note.ts';
import type { LogStore } from './store.ts';
import { treeRoot } from './tile-hashes.ts';
import type { NoteVerifier } from './verifier-key.ts';

/** Where the newest checkpoint is kept outside the database. `write` is durable and all or nothing. */
export interface CheckpointFile {
  read(): Promise<string | null>;
  write(note: string): Promise<void>;
}

/** Signs the head when it has moved: the note goes to the database, then to the file. Returns the size it stands for. */
export async function publishCheckpoint(
  published: number,
  log: LogStore,
  file: CheckpointFile,
  signer: NoteSigner,
): Promise<number> {
  const { size, range } = await log.head();
  if (size === published) return published;
  const root = CompactRange.restore(size, range).root();
  const note = await signNote(formatCheckpoint({ origin: signer.name, size, root }), signer);
  await log.saveNote(size, note);
  await file.write(note);
  return size;
}

/**
 * At start: the log in the database must hold all that was last published outside it, unchanged. A smaller log (an old
 * copy was put in its place) or another one is refused. Returns the size of that checkpoint, 0 where none was published.
 */
export async function checkAgainstPublished(
  log: Pick<LogStore, 'head' | 'hashes' | 'note'>,
  file: Pick<CheckpointFile, 'read'>,
  verifier: NoteVerifier,
): Promise<number> {
  const [note, kept] = [await file.read(), await log.note()];
  if (note === null) {
    if (kept === null) return 0;
    throw new SallyportError(
      'log',
      'the log has published checkpoints, and the file that keeps the newest one is missing: put it back',
    );
  }
  const checkpoint = openPublished(note, verifier);
  const { size, range } = await log.head();
  if (checkpoint.size > size) {
    throw new SallyportError(
      'log',
      `the log has ${size} entries, and ${checkpoint.size} were published: this is an older copy of it`,
    );
  }
  const root = CompactRange.restore(size, range).root();
  if (!Buffer.from(await treeRoot(size, log.hashes)).equals(root)) {
    throw new SallyportError('log', "the log's head does not fit its entries");
  }
  if (checkpoint.size === 0) return 0;
  try {
    const proof = await consistencyProof(checkpoint.size, size, log.hashes);
    verifyConsistency({ from: checkpoint, to: { size, root }, proof });
  } catch (cause) {
    throw new SallyportError(
      'log',
      `the first ${checkpoint.size} entries of the log are not those that were published`,
      { cause },
    );
  }
  return checkpoint.size;
}

function openPublished(note: string, verifier: NoteVerifier): ParsedCheckpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    const words = `the checkpoint kept outside the database is refused: ${cause.message}; put back the one that this log published last`;
    throw new SallyportError('log', words, { cause });
  }
}
