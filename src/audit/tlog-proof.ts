import { SallyportError } from '#errors';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { type ParsedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { verifyInclusion } from './inclusion-proof.ts';
import { maximumNoteLength } from './signed-note.ts';
import { assertHash } from './tree-hash.ts';
import { isTreeSize, parseTreeSize } from './tree-size.ts';
import type { NoteVerifier } from './verifier-key.ts';

/** C2SP tlog-proof: proof that an entry was logged, to be verified offline. */
export interface TlogProof {
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim, with the cosignatures it has. */
  readonly checkpoint: string;
  /** Opaque and not authenticated: "MUST NOT implicitly trust the extra data". */
  readonly extra?: Uint8Array;
}

const firstLine = 'c2sp.org/tlog-proof@v1';
const maximumLength = 2 * maximumNoteLength;
/** The path of a tree of 2^63 entries. */
const maximumHashes = 63;

export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  if (!isTreeSize(index)) throw new SallyportError('malformed', `${index} is not an index`);
  if (extra?.length === 0) throw new SallyportError('malformed', 'extra data that is empty is left out');
  hashes.forEach(assertHash);
  const lines = [
    firstLine,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(encodeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

export function parseTlogProof(text: string): TlogProof {
  if (text.length > maximumLength) {
    throw new SallyportError('too-large', `a proof has at most ${maximumLength} characters`);
  }
  const separator = text.indexOf('\n\n');
  if (separator === -1) {
    throw new SallyportError('malformed', 'a proof has an empty line before its checkpoint');
  }
  const lines = text.slice(0, separator).split('\n');
  if (lines.shift() !== firstLine) throw new SallyportError('malformed', `a proof begins with ${firstLine}`);
  const extra = valueOf('extra', lines[0]);
  if (extra !== undefined) lines.shift();
  const index = valueOf('index', lines.shift());
  if (index === undefined || extra === '') {
    throw new SallyportError(
      'malformed',
      'a proof has an optional line "extra <base64>", then "index <decimal>"',
    );
  }
  if (lines.length > maximumHashes) {
    throw new SallyportError('too-large', `an inclusion proof has at most ${maximumHashes} hashes`);
  }
  return {
    index: parseTreeSize(index),
    hashes: lines.map(parseHash),
    checkpoint: text.slice(separator + 2),
    ...(extra === undefined ? {} : { extra: decodeBase64(extra, 'the extra data of a proof') }),
  };
}

/**
 * C2SP tlog-proof, "Verifying a tlog proof": `leafHash` is the caller's step 1, and cosignatures (step 3) are
 * not asked for. Throws unless the log signed the checkpoint and the leaf is in its tree.
 */
export function verifyTlogProof(
  text: string,
  { leafHash, log }: { readonly leafHash: Uint8Array; readonly log: NoteVerifier },
): { readonly index: number; readonly checkpoint: ParsedCheckpoint } {
  const { index, hashes, checkpoint: note } = parseTlogProof(text);
  const checkpoint = openCheckpoint(note, log);
  verifyInclusion({ index, size: checkpoint.size, leafHash, proof: hashes, root: checkpoint.root });
  return { index, checkpoint };
}

function valueOf(keyword: 'extra' | 'index', line: string | undefined): string | undefined {
  return line?.startsWith(`${keyword} `) === true ? line.slice(keyword.length + 1) : undefined;
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line, 'a hash of a proof');
  assertHash(hash);
  return hash;
}
