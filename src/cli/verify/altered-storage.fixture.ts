import { CompactRange, decodeEntry, encodeEntry, leafHash, type StoredBlob } from '#audit';
import type { ReadOnlyStorage } from '#storage';

/* A real authority's storage, and the same with something done to it behind its back. */

export type Certificate =
  ReturnType<ReadOnlyStorage['certificates']> extends AsyncIterable<infer Item> ? Item : never;
type Entry = Record<string, unknown>;

/** Everything a verification reads, in memory. */
export interface Copy {
  readonly origin: string;
  readonly entries: readonly Uint8Array[];
  /** Of the leaves, as stored. */
  readonly hashes: readonly Uint8Array[];
  readonly certificates: readonly Certificate[];
  readonly blobs: readonly StoredBlob[];
  readonly bodies: Pick<ReadOnlyStorage, 'references' | 'policies'>;
}

export async function copyOf(storage: ReadOnlyStorage): Promise<Copy> {
  const { size } = await storage.log.head();
  const entries = (await storage.log.entries(0, size)).map(({ bytes }) => bytes);
  const certificates: Certificate[] = [];
  for await (const certificate of storage.certificates()) certificates.push(certificate);
  const bodies = new Map<string, Uint8Array | null>();
  const texts = new Map<string, string | null>();
  for (const entry of entries.map((bytes) => decodeEntry(bytes) as Entry)) {
    const { references, policies } = entry as { references?: string; policies?: string };
    if (references !== undefined) bodies.set(references, await storage.references(references));
    if (policies !== undefined) texts.set(policies, await storage.policies(policies));
  }
  return {
    origin: await storage.origin(),
    entries,
    hashes: entries.map(leafHash),
    certificates,
    blobs: await storage.log.blobs(0, size),
    bodies: {
      references: async (digest) => bodies.get(digest) ?? null,
      policies: async (digest) => texts.get(digest) ?? null,
    },
  };
}

/** The copy with one entry rewritten; its stored hash stays, as when somebody edits the database by hand. */
export function withEntry(copy: Copy, index: number, change: (entry: Entry) => Entry): Copy {
  return {
    ...copy,
    entries: copy.entries.toSpliced(index, 1, encodeEntry(change(decodeEntry(copy.entries[index]!)))),
  };
}

/** As whoever can write the whole database leaves it: every hash fits again. */
export function rehashed(copy: Copy): Copy {
  return { ...copy, hashes: copy.entries.map(leafHash) };
}

export function rangeOf({ hashes }: Copy): CompactRange {
  const range = CompactRange.empty();
  for (const hash of hashes) range.append(hash);
  return range;
}

export function storageOf(copy: Copy): ReadOnlyStorage {
  const range = rangeOf(copy);
  const refuse = () => Promise.reject(new Error('a verification does not ask for this'));
  return {
    log: {
      head: async () => ({ size: range.size, range: range.toBytes() }),
      entries: async (from, to) =>
        copy.entries.slice(from, to).map((bytes, at) => ({ index: from + at, bytes })),
      hashes: { read: async (_level, from, to) => copy.hashes.slice(from, to) },
      blobs: async (from, to) => copy.blobs.filter(({ index }) => index >= from && index < to),
      earlier: async () => [],
      find: refuse,
      note: refuse,
      sinkCursor: refuse,
    },
    origin: async () => copy.origin,
    ...copy.bodies,
    async *certificates() {
      yield* copy.certificates;
    },
    lostCertificates: async () => [],
    revoked: refuse,
    close: async () => {},
  };
}
