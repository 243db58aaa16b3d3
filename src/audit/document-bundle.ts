import { SallyportError } from '#errors';
import { type Blob, saltedHash, saltLength } from './blob.ts';
import { canonicalJson } from './canonical-json.ts';
import { maximumEntryLength } from './entry.ts';
import { tileWidth } from './tile-hashes.ts';
import { parseTilePath, tilePath } from './tile-path.ts';

/** Sealed documents of one bundle of entries, beside it and apart: they may become fewer, and the bundle stays what it is. */
export interface BundledDocument extends Blob {
  /** Of the entry. */
  readonly index: number;
}

const [prefix, ofBundles] = ['personal/', 'tile/entries/'];

/** `personal/<N>`, with the number that the bundle has; there are no partial ones. */
export function documentBundlePath(index: number): string {
  return prefix + tilePath('entries', index).slice(ofBundles.length);
}

/** The number of the bundle; null: the path is of something else. */
export function parseDocumentBundlePath(path: string): number | null {
  if (!path.startsWith(prefix)) return null;
  const { index, width } = parseTilePath(ofBundles + path.slice(prefix.length));
  if (width === tileWidth) return index;
  throw new SallyportError('malformed', 'documents are not divided by width');
}

/** A JSON array of objects with `index`, `salt` (hex) and `document`, the text. */
export function formatDocumentBundle(documents: readonly BundledDocument[]): Uint8Array {
  const rows = documents.map(({ index, salt, bytes }) => ({
    index,
    salt: Buffer.from(salt).toString('hex'),
    document: Buffer.from(bytes).toString('utf8'),
  }));
  return Buffer.from(canonicalJson(rows));
}

/** Throws 'malformed' for anything else than what `formatDocumentBundle` gives. Addresses are computed. */
export function parseDocumentBundle(bytes: Uint8Array): readonly BundledDocument[] {
  let rows: unknown;
  try {
    rows = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new SallyportError('malformed', 'documents are UTF-8 JSON', { cause });
  }
  if (!Array.isArray(rows) || rows.length > tileWidth) throw noDocuments();
  return rows.map(parseRow);
}

function parseRow(row: unknown): BundledDocument {
  if (typeof row !== 'object' || row === null) throw noDocuments();
  const { index, salt: hex, document } = row as Readonly<Record<string, unknown>>;
  const isSalt = typeof hex === 'string' && /^(?:[0-9a-f]{2})+$/.test(hex) && hex.length === saltLength * 2;
  if (!Number.isSafeInteger(index) || !isSalt || typeof document !== 'string') throw noDocuments();
  const [salt, bytes] = [Buffer.from(hex, 'hex'), Buffer.from(document)];
  if (bytes.length > maximumEntryLength) throw noDocuments();
  return { index: Number(index), salt, bytes, address: saltedHash(salt, bytes) };
}

function noDocuments(): SallyportError {
  return new SallyportError('malformed', 'documents are an array of at most 256 with index, salt and text');
}
