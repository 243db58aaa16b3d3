import { SallyportError } from '#errors';
import type { Blob } from './blob.ts';
import { type JsonValue, canonicalJson } from './canonical-json.ts';

/** On its way into the log: the leaf, and the blobs that it names, which are kept beside it in the same transaction. */
export interface NewEntry {
  readonly bytes: Uint8Array;
  readonly blobs: readonly Blob[];
}

/**
 * C2SP tlog-tiles: entries of a bundle have a length of 16 bits. What is larger is stored beside the log, by
 * its hash.
 */
export const maximumEntryLength = 65_535;

/** The bytes of a leaf. Written once: who verifies hashes these bytes and never encodes again. */
export function encodeEntry(entry: object): Uint8Array {
  const bytes = Buffer.from(canonicalJson(entry));
  if (bytes.length > maximumEntryLength) {
    throw new SallyportError(
      'too-large',
      `a log entry has at most ${maximumEntryLength} octets, this one ${bytes.length}`,
    );
  }
  return bytes;
}

/**
 * Only the canonical form is an entry: other bytes of the same meaning, duplicate names among them, are
 * refused.
 */
export function decodeEntry(bytes: Uint8Array): { readonly [name: string]: JsonValue } {
  if (bytes.length > maximumEntryLength) {
    throw new SallyportError('too-large', `a log entry has at most ${maximumEntryLength} octets`);
  }
  const entry = parseJson(bytes);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new SallyportError('malformed', 'a log entry is a JSON object');
  }
  if (Buffer.compare(Buffer.from(canonicalJson(entry)), bytes) !== 0) {
    throw new SallyportError('malformed', 'a log entry is not in canonical form (RFC 8785)');
  }
  return entry as { readonly [name: string]: JsonValue };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new SallyportError('malformed', 'a log entry is UTF-8 JSON', { cause });
  }
}
