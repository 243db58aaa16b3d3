import {
  checkNote,
  CompactRange,
  consistencyProof,
  firstOrigin,
  inclusionProof,
  leafHash,
  type LogReader,
  type LogStore,
  openCheckpoint,
  type ParsedCheckpoint,
  parseVerifierKey,
  type TreeHead,
  verifierKeyFor,
  verifyConsistency,
  verifyInclusion,
} from '#audit';
import { type FirstEntry, parseFirstEntry } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import { checkpointFile } from './checkpoint-file.ts';
import { keptName, originOf } from './kept-checkpoint.ts';

/**
 * A node that has not served since a restore keeps a checkpoint of a log that ended. Where the log that goes on accounts for it, a checkpoint of that
 * one takes its place; it is kept beside. No file, and one of another authority, are left to whoever looks for a checkpoint of this log.
 *
 * Returns the checkpoint that is in the file now; null: there is none.
 *
 * @param anchored notes of this log that were checked against the database; where there are none, the database's own must be signed
 * @throws SallyportError 'log' where it is not accounted for
 */
export async function leaveEndedLog(
  log: LogStore,
  path: string,
  anchored: readonly string[],
  verifierKey: string,
): Promise<string | null> {
  const file = checkpointFile(path);
  const own = await file.read();
  const verifier = parseVerifierKey(verifierKey);
  if (own === null || originOf(own) === verifier.name) return own;
  if (firstOrigin(originOf(own)) !== firstOrigin(verifier.name)) return own;
  const note = anchored[0] ?? (await log.note());
  if (note === null) return own;
  try {
    const head = await checkNote(note, log, verifier);
    await demandAccounted(own, { ...head, reader: log }, log, verifierKey);
  } catch (cause) {
    if (!isSallyportError(cause) || cause.code === 'store') throw cause;
    throw new SallyportError(
      'log',
      `${path} is of a log that a restore ended, ${originOf(own)}, and this log does not account for it: ${cause.message}. Restore again with a copy of it beside the checkpoint file, ` +
        'or, where what it proves is to be lost, move it aside and copy the checkpoint file of the node that restored',
      { cause },
    );
  }
  // Kept before it is replaced, and never without one: whoever ends between the two begins anew.
  await checkpointFile(await keptName(path, own)).write(own);
  await file.write(note);
  return note;
}

/** A tree that is proven, and where it can be read. */
interface ProvenLog extends TreeHead {
  readonly reader: LogReader;
}

/**
 * A first entry is signed with its log. It names the log before it by size and root, and what was found signed outside when it began: so the note
 * is of the beginning of a log that is here, or is one of those, word for word. Logs that restores ended before are asked in turn.
 */
async function demandAccounted(
  note: string,
  current: ProvenLog,
  log: LogStore,
  verifierKey: string,
): Promise<void> {
  const earlier = await log.earlier();
  const origin = originOf(note);
  for (let next: ProvenLog | null = current; next !== null;) {
    const { previous, outside } = await firstEntryOf(next);
    if (previous === null) break;
    const key = origin === previous.origin ? previous.log : verifierKeyFor(origin, verifierKey);
    const ended = earlier.find((each) => each.origin === previous.origin);
    if (outside.some((head) => head.origin === origin) || origin === previous.origin) {
      const shown = openCheckpoint(note, parseVerifierKey(key));
      if (shown.size === 0 || isNamed(shown, outside)) return;
      if (origin === previous.origin && ended !== undefined && shown.size <= previous.size) {
        const to = { size: previous.size, root: Buffer.from(previous.root, 'base64') };
        const proof = await consistencyProof(shown.size, to.size, ended.hashes);
        verifyConsistency({ from: shown, to, proof });
        return;
      }
      throw new SallyportError('log', `it is of ${shown.size} entries, of which the restore did not know`);
    }
    next = ended === undefined ? null : { ...headOf(ended), reader: ended };
    if (next !== null && !isSameHead(next, previous)) break;
  }
  throw new SallyportError('log', 'no restore names that log');
}

async function firstEntryOf({ size, root, reader }: ProvenLog): Promise<FirstEntry> {
  const [first] = size === 0 ? [] : await reader.entries(0, 1);
  const entry = parseFirstEntry(first?.bytes);
  const proof = await inclusionProof(0, size, reader.hashes);
  verifyInclusion({ index: 0, size, leafHash: leafHash(first!.bytes), proof, root });
  return entry;
}

function headOf({ head }: Awaited<ReturnType<LogStore['earlier']>>[number]): TreeHead {
  return { size: head.size, root: CompactRange.restore(head.size, head.range).root() };
}

function isSameHead(
  { size, root }: TreeHead,
  named: { readonly size: number; readonly root: string },
): boolean {
  return size === named.size && Buffer.from(root).toString('base64') === named.root;
}

function isNamed(shown: ParsedCheckpoint, outside: FirstEntry['outside']): boolean {
  return outside.some((head) => head.origin === shown.origin && isSameHead(shown, head));
}
