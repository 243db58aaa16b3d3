import { isSallyportError } from '#errors';
import { type ParsedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { CompactRange, type CompletedSubtree } from './compact-range.ts';
import type { TileHashes } from './tile-hashes.ts';
import type { TreeHead } from './tree-head.ts';
import { leafHash, sameHash } from './tree-hash.ts';
import type { NoteVerifier } from './verifier-key.ts';

export interface StoredEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** The hash stored beside the entry. With it, a changed entry is found by name and not only by the root. */
  readonly leafHash?: Uint8Array;
}

export interface LogToVerify {
  /** In the order of their indexes. */
  readonly entries: AsyncIterable<StoredEntry>;
  /** What the store says of itself. */
  readonly head: TreeHead;
  /** The roots of full subtrees that the store keeps, of which tiles and proofs are made. */
  readonly subtrees?: TileHashes;
  /** What was kept outside the store. Only with it does a log prove that its tail is whole. */
  readonly checkpoint?: { readonly note: string | Uint8Array; readonly verifier: NoteVerifier };
  /** Called for each entry with its recomputed leaf hash. What it throws ends the verification. */
  readonly onEntry?: (entry: Required<StoredEntry>) => void | Promise<void>;
}

export interface LogProblem {
  /** The entry, or null: the problem is of the head, the checkpoint or a stored subtree. */
  readonly index: number | null;
  readonly message: string;
}

export interface LogVerification {
  readonly ok: boolean;
  /** Recomputed: entries read, and the root over them. */
  readonly size: number;
  readonly root: Uint8Array;
  /** The first 100; a last one then says that there are more. */
  readonly problems: readonly LogProblem[];
}

const maximumProblems = 100;

/** Recomputes a whole log of its bytes and compares with the head and with a signed checkpoint. */
export async function verifyLog(log: LogToVerify): Promise<LogVerification> {
  const problems = new ProblemList();
  const checkpoint = openKnownCheckpoint(log.checkpoint, problems);
  const range = CompactRange.empty();
  let rootAtCheckpoint = checkpoint?.size === 0 ? range.root() : undefined;
  let expected = 0;
  for await (const entry of log.entries) {
    if (entry.index !== expected) {
      problems.add(entry.index, `entry ${entry.index} stands where entry ${expected} should`);
    }
    expected = entry.index + 1;
    const leaf = leafHash(entry.bytes);
    if (entry.leafHash !== undefined && !sameHash(leaf, entry.leafHash)) {
      problems.add(entry.index, 'the bytes of the entry are not those that were hashed when it was logged');
    }
    for (const subtree of range.append(leaf)) await compareSubtree(subtree, log.subtrees, problems);
    if (range.size === checkpoint?.size) rootAtCheckpoint = range.root();
    await log.onEntry?.({ index: entry.index, bytes: entry.bytes, leafHash: leaf });
  }
  const head = { size: range.size, root: range.root() };
  compareHead(head, log.head, problems);
  if (checkpoint !== undefined) compareCheckpoint(head.size, rootAtCheckpoint, checkpoint, problems);
  return { ok: problems.none, ...head, problems: problems.list() };
}

async function compareSubtree(
  { level, index, hash }: CompletedSubtree,
  stored: TileHashes | undefined,
  problems: ProblemList,
): Promise<void> {
  if (stored === undefined) return;
  const [kept] = await stored.read(level, index, index + 1);
  if (kept !== undefined && sameHash(kept, hash)) return;
  const width = 2 ** level;
  problems.add(
    null,
    `the hash stored over entries ${index * width} to ${(index + 1) * width - 1} is ${kept === undefined ? 'not there' : 'not that of the entries'}`,
  );
}

function compareHead(recomputed: TreeHead, stored: TreeHead, problems: ProblemList): void {
  if (recomputed.size !== stored.size) {
    problems.add(null, `the head says ${stored.size} entries, there are ${recomputed.size}`);
  }
  if (!sameHash(recomputed.root, stored.root)) {
    problems.add(null, 'the root in the head is not the root over the entries');
  }
}

function compareCheckpoint(
  size: number,
  rootAtCheckpoint: Uint8Array | undefined,
  checkpoint: ParsedCheckpoint,
  problems: ProblemList,
): void {
  if (rootAtCheckpoint === undefined) {
    problems.add(null, `the tail is cut: ${checkpoint.size} entries were signed, there are ${size}`);
  } else if (!sameHash(rootAtCheckpoint, checkpoint.root)) {
    problems.add(null, `the first ${checkpoint.size} entries are not those whose root was signed`);
  }
}

function openKnownCheckpoint(
  known: LogToVerify['checkpoint'],
  problems: ProblemList,
): ParsedCheckpoint | undefined {
  if (known === undefined) return undefined;
  try {
    return openCheckpoint(known.note, known.verifier);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    problems.add(null, `the checkpoint is refused: ${error.message}`);
    return undefined;
  }
}

/** Bounded: a log whose every entry is wrong needs no million messages. */
class ProblemList {
  readonly #problems: LogProblem[] = [];
  #omitted = 0;

  get none(): boolean {
    return this.#problems.length === 0;
  }

  add(index: number | null, message: string): void {
    if (this.#problems.length < maximumProblems) this.#problems.push({ index, message });
    else this.#omitted += 1;
  }

  list(): LogProblem[] {
    if (this.#omitted === 0) return this.#problems;
    return [...this.#problems, { index: null, message: `and ${this.#omitted} more problems` }];
  }
}
