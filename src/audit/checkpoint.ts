import { SallyportError } from '#errors';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { isKeyName } from './note-text.ts';
import { openNote } from './signed-note.ts';
import { assertHash } from './tree-hash.ts';
import type { TreeHead } from './tree-head.ts';
import { isTreeSize, parseTreeSize } from './tree-size.ts';
import type { NoteVerifier } from './verifier-key.ts';

/** C2SP tlog-checkpoint: the tree head of the log that `origin` names. */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
}

/** Another log's checkpoint may have extension lines. Ours have none: nobody can audit them. */
export interface ParsedCheckpoint extends Checkpoint {
  readonly extensions: readonly string[];
}

/** The note text. The origin is the signer's key name too, so it obeys the rules of both. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin)) {
    throw new SallyportError('malformed', 'an origin is not empty and has no spaces or "+"');
  }
  if (!isTreeSize(size)) throw new SallyportError('malformed', `${size} is not a tree size`);
  assertHash(root);
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** `text` is that of an opened note. */
export function parseCheckpoint(text: string): ParsedCheckpoint {
  const lines = text.split('\n');
  const afterLast = lines.pop();
  const [origin, size, root, ...extensions] = lines;
  if (
    afterLast !== '' ||
    origin === undefined ||
    size === undefined ||
    root === undefined ||
    lines.includes('')
  ) {
    throw new SallyportError('malformed', 'a checkpoint has three lines or more, none of them empty');
  }
  const hash = decodeBase64(root, 'the root of a checkpoint');
  assertHash(hash);
  return { origin, size: parseTreeSize(size), root: hash, extensions };
}

/** The checkpoint in a note that the log's key signed; the key's name must be the origin. */
export function openCheckpoint(note: string | Uint8Array, log: NoteVerifier): ParsedCheckpoint {
  const checkpoint = parseCheckpoint(openNote(note, [log]).text);
  // The key may sign other texts, under the same name but with another origin: those speak of another tree.
  if (checkpoint.origin !== log.name) {
    throw new SallyportError('log', `the checkpoint is of ${checkpoint.origin}, not of ${log.name}`);
  }
  return checkpoint;
}
