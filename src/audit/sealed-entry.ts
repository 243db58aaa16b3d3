import { isSallyportError, SallyportError } from '#errors';
import { type Blob, blobOf, verifyBlob } from './blob.ts';
import { canonicalJson, type JsonValue } from './canonical-json.ts';
import { decodeEntry, encodeEntry, maximumEntryLength } from './entry.ts';

/** Which members of an entry are sealed: each a JSON Pointer (RFC 6901), in which `*` stands for every item of an array. */
export class SealedFields {
  readonly root: FieldNode;

  constructor(pointers: readonly string[]) {
    this.root = nodeOf(pointers.map(parsePointer));
  }
}

/** `null`: this member is sealed, as a whole. */
type FieldNode = ReadonlyMap<string, FieldNode | null>;

export interface SealedEntry {
  /** The leaf: the entry without its sealed members, and with `sealed`, the address of the document, where there is one. */
  readonly bytes: Uint8Array;
  /** The document: one canonical JSON object, from the pointer of each sealed member to its value. null: nothing was there to seal. */
  readonly document: Blob | null;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * Moves members out of an entry into a document beside it, under one salted hash: who has only the leaf learns nothing of them. A member that is
 * null says nothing and stays. Throws 'too-large' where leaf or document is longer than an entry may be.
 *
 * @param salt fresh from a cryptographic generator
 */
export function sealEntry(entry: object, fields: SealedFields, salt: Uint8Array): SealedEntry {
  if (Object.hasOwn(entry, 'sealed')) throw new SallyportError('malformed', 'the entry is sealed already');
  const taken: Record<string, unknown> = {};
  const leaf = without(entry as Members, fields.root, '', taken);
  if (leaf === entry) return { bytes: encodeEntry(entry), document: null };
  const text = Buffer.from(canonicalJson(taken));
  if (text.length > maximumEntryLength) throw tooLarge();
  const document = blobOf(salt, text);
  const sealed = Buffer.from(document.address.buffer, document.address.byteOffset, document.address.length);
  return { bytes: encodeEntry({ ...leaf, sealed: sealed.toString('hex') }), document };
}

/**
 * The entry as it was before it was sealed. Throws 'log' unless the document is that of the leaf's address, holds exactly the members that `fields` name, and gives
 * them back to where they were taken from; 'malformed' and 'too-large' for what is no leaf.
 */
export function openEntry(
  bytes: Uint8Array,
  document: Pick<Blob, 'salt' | 'bytes'>,
  fields: SealedFields,
): { readonly [name: string]: JsonValue } {
  const { sealed, ...leaf } = decodeEntry(bytes);
  if (typeof sealed !== 'string') throw new SallyportError('log', 'the entry names no sealed document');
  if (document.bytes.length > maximumEntryLength) throw tooLarge();
  for (const [pointer, value] of Object.entries(parseDocument(document.bytes))) putBack(leaf, pointer, value);
  // Sealed again it must be the same: then nothing else was sealed, nothing was left out, and the address fits.
  const again = sealEntry(leaf, fields, document.salt);
  const same =
    again.document !== null &&
    Buffer.compare(again.document.bytes, document.bytes) === 0 &&
    Buffer.compare(again.bytes, bytes) === 0;
  if (!same) throw notTheDocument();
  return leaf;
}

/**
 * The same for who only passes entries on, many a second: the document is known by its address, and what is in it is not compared with a list. null where
 * none of these is it, or where it does not fit.
 */
export function joinEntry(
  bytes: Uint8Array,
  blobs: readonly Blob[],
): { readonly entry: object; readonly salt: Uint8Array } | null {
  const { sealed, ...entry } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
  const document = documentOf({ sealed }, blobs);
  if (document === null) return null;
  try {
    verifyBlob(document);
    for (const [pointer, value] of Object.entries(parseDocument(document.bytes))) {
      putBack(entry, pointer, value);
    }
    return { entry, salt: document.salt };
  } catch (error) {
    if (isSallyportError(error, 'log')) return null;
    throw error;
  }
}

/** The address that a leaf names, in lower-case hex; null: it has no sealed members, or is no leaf of this kind. */
export function sealedAddress(entry: { readonly sealed?: unknown }): string | null {
  return typeof entry.sealed === 'string' ? entry.sealed : null;
}

/** The one of these blobs that the leaf names as its document; null: none of them, or it names none. */
export function documentOf<B extends Blob>(
  leaf: { readonly sealed?: unknown },
  blobs: readonly B[],
): B | null {
  const address = sealedAddress(leaf);
  return blobs.find((blob) => Buffer.from(blob.address).toString('hex') === address) ?? null;
}

/** A copy as deep as something is taken out of it, otherwise the same value. */
function without(value: Members, node: FieldNode, path: string, taken: Record<string, unknown>): Members {
  let copy: Record<string, unknown> | null = null;
  for (const [name, below] of node) {
    const member = Object.hasOwn(value, name) ? value[name] : null;
    if (member === null || member === undefined) continue;
    const pointer = `${path}/${name}`;
    if (below === null) {
      taken[pointer] = member;
      copy ??= { ...value };
      delete copy[name];
      continue;
    }
    const left = Array.isArray(member)
      ? withoutOfItems(member, below, pointer, taken)
      : typeof member === 'object'
        ? without(member as Members, below, pointer, taken)
        : member;
    if (left === member) continue;
    copy ??= { ...value };
    copy[name] = left;
  }
  return copy ?? value;
}

function withoutOfItems(
  items: readonly unknown[],
  node: FieldNode,
  path: string,
  taken: Record<string, unknown>,
): readonly unknown[] {
  const below = node.get('*');
  if (below === undefined || below === null) return items;
  const left = items.map((item, at) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? without(item as Members, below, `${path}/${at}`, taken)
      : item,
  );
  return left.some((item, at) => item !== items[at]) ? left : items;
}

function putBack(leaf: object, pointer: string, value: JsonValue): void {
  const names = parsePointer(pointer);
  const name = names.pop()!;
  let parent: unknown = leaf;
  for (const each of names) {
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, each)) throw notTheDocument();
    parent = (parent as Members)[each];
  }
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent) || Object.hasOwn(parent, name)) {
    throw notTheDocument();
  }
  // Not by assignment: the document may name `__proto__`.
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

function parseDocument(bytes: Uint8Array): { readonly [pointer: string]: JsonValue } {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new SallyportError('log', 'the sealed document is no UTF-8 JSON', { cause });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw notTheDocument();
  return document as { readonly [pointer: string]: JsonValue };
}

/** RFC 6901 section 3, of pointers that name a member: at least one token. Names with `~` or `/` in them are in no entry. */
function parsePointer(pointer: string): string[] {
  const [before, ...names] = pointer.split('/');
  if (before !== '' || names.length === 0 || names.some((name) => name === '' || name.includes('~'))) {
    throw notTheDocument();
  }
  return names;
}

function nodeOf(pointers: readonly (readonly string[])[]): FieldNode {
  const node = new Map<string, FieldNode | null>();
  for (const [name] of pointers) {
    const below = pointers.filter(([first]) => first === name).map(([, ...rest]) => rest);
    node.set(name!, below.some((rest) => rest.length === 0) ? null : nodeOf(below));
  }
  return node;
}

function notTheDocument(): SallyportError {
  return new SallyportError('log', 'the sealed document is not that of the entry');
}

function tooLarge(): SallyportError {
  return new SallyportError('too-large', `a sealed document has at most ${maximumEntryLength} octets`);
}
