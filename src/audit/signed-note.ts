import type { SigningKey } from '#keys';
import { SallyportError } from '#errors';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { isKeyName, isNoteText } from './note-text.ts';
import { type NoteVerifier, ed25519SignatureLength, noteKeyId } from './verifier-key.ts';

/** Who signs: the name is the log's origin. */
export interface NoteSigner {
  readonly name: string;
  /** Ed25519. */
  readonly key: SigningKey;
}

/** One of the known keys whose signature verified. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
}

export interface OpenedNote {
  /** What was signed, its last newline included. */
  readonly text: string;
  /** In the note's order, each key once; never empty. */
  readonly signatures: readonly NoteSignature[];
}

/** Room for a log, a quorum of witnesses and their post-quantum signatures of nearly 5 kB each. */
export const maximumNoteLength = 256 * 1024;
/** "MUST accept at least up to 16 signatures." */
export const maximumNoteSignatures = 64;

const keyIdLength = 4;

/** C2SP signed-note, "Format". `text` ends in a newline. */
export async function signNote(text: string, signer: NoteSigner): Promise<string> {
  assertNoteText(text);
  if (!text.endsWith('\n')) throw new SallyportError('malformed', 'the text of a note ends in a newline');
  const keyId = noteKeyId(signer.name, signer.key.spki);
  const signature = await signer.key.sign(Buffer.from(text));
  if (signature.length !== ed25519SignatureLength) {
    throw new SallyportError('key', `the key of ${signer.name} made no Ed25519 signature`);
  }
  const line = encodeBase64(Buffer.concat([Buffer.from(keyId, 'hex'), signature]));
  return `${text}\n— ${signer.name} ${line}\n`;
}

/**
 * C2SP signed-note, "Signatures". The text, if at least one of the verifiers signed it. Signatures of unknown
 * keys are ignored; one that claims a known name and key ID and does not verify refuses the whole note, a
 * repeated one too.
 */
export function openNote(note: string | Uint8Array, verifiers: readonly NoteVerifier[]): OpenedNote {
  const known = verifiersById(verifiers);
  const { text, signatures } = parseNote(note);
  const signed = Buffer.from(text);
  const verified = new Map<string, NoteSignature>();
  for (const { name, keyId, signature } of signatures) {
    const id = identity({ name, keyId });
    const verifier = known.get(id);
    if (verifier === undefined) continue;
    if (!verifier.verify(signed, signature)) {
      throw new SallyportError('bad-signature', `the signature of ${name} (key ${keyId}) does not verify`);
    }
    verified.set(id, { name, keyId });
  }
  if (verified.size === 0) {
    throw new SallyportError('bad-signature', 'the note has no signature of a known key');
  }
  return { text, signatures: [...verified.values()] };
}

interface SignatureLine extends NoteSignature {
  readonly signature: Uint8Array;
}

function parseNote(note: string | Uint8Array): { text: string; signatures: SignatureLine[] } {
  const length = typeof note === 'string' ? Buffer.byteLength(note) : note.length;
  if (length > maximumNoteLength) {
    throw new SallyportError(
      'too-large',
      `a note has at most ${maximumNoteLength} octets, this one ${length}`,
    );
  }
  const whole = typeof note === 'string' ? note : decodeUtf8(note);
  assertNoteText(whole);
  // "the text is separated from the signatures by the last empty line in the note"
  const separator = whole.lastIndexOf('\n\n');
  const block = whole.slice(separator + 2);
  if (separator === -1 || !block.endsWith('\n')) {
    throw new SallyportError(
      'malformed',
      'a note is a text, an empty line, and signature lines that end in newlines',
    );
  }
  const lines = block.slice(0, -1).split('\n');
  if (lines.length > maximumNoteSignatures) {
    throw new SallyportError('too-large', `a note has at most ${maximumNoteSignatures} signatures`);
  }
  return { text: whole.slice(0, separator + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): SignatureLine {
  const [dash, name, encoded, ...rest] = line.split(' ');
  if (dash !== '—' || name === undefined || !isKeyName(name) || encoded === undefined || rest.length > 0) {
    throw new SallyportError('malformed', 'a signature line reads "— <key name> <base64>"');
  }
  const bytes = decodeBase64(encoded, 'a note signature');
  if (bytes.length <= keyIdLength) {
    throw new SallyportError('malformed', 'a note signature is a key ID of 4 octets and the signature');
  }
  const keyId = Buffer.from(bytes.subarray(0, keyIdLength)).toString('hex');
  return { name, keyId, signature: bytes.subarray(keyIdLength) };
}

function verifiersById(verifiers: readonly NoteVerifier[]): ReadonlyMap<string, NoteVerifier> {
  const known = new Map<string, NoteVerifier>();
  for (const verifier of verifiers) {
    const id = identity(verifier);
    if (known.has(id)) {
      throw new SallyportError(
        'config',
        `two verifier keys are both ${verifier.name} with ID ${verifier.keyId}`,
      );
    }
    known.set(id, verifier);
  }
  return known;
}

/** Key names have no plus sign. */
function identity({ name, keyId }: NoteSignature): string {
  return `${name}+${keyId}`;
}

function assertNoteText(text: string): void {
  if (!isNoteText(text)) {
    throw new SallyportError(
      'malformed',
      'a note has no lone surrogates and no control characters but newline',
    );
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SallyportError('malformed', 'a note is valid UTF-8', { cause });
  }
}
