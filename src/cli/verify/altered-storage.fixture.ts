import { randomBytes } from 'node:crypto';
import { CompactRange, decodeEntry, documentOf, leafHash, type StoredBlob } from '#audit';
import { eraseAct, type Entry as LogEntry, newEntry, rangesOf, readEntry } from '#enrollment';
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
  readonly state: Pick<
    ReadOnlyStorage,
    'secrets' | 'secretCount' | 'approvals' | 'deviceState' | 'crl' | 'ownCertificates'
  >;
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
    state: await stateOf(storage, entries),
    bodies: {
      references: async (digest) => bodies.get(digest) ?? null,
      policies: async (digest) => texts.get(digest) ?? null,
    },
  };
}

/** Of all that the leaves name. */
async function stateOf(storage: ReadOnlyStorage, entries: readonly Uint8Array[]): Promise<Copy['state']> {
  const leaves = entries.map((bytes) => decodeEntry(bytes) as unknown as LogEntry);
  const idsOf = (name: 'secret' | 'approval') =>
    leaves.flatMap((leaf) => {
      const id = leaf.type === 'request' ? leaf.observations[name]?.id : leaf.detail[name];
      return typeof id === 'string' ? [id] : [];
    });
  const secrets = new Map((await storage.secrets(idsOf('secret'))).map((row) => [row?.id, row]));
  const approvals = new Map((await storage.approvals(idsOf('approval'))).map((row) => [row?.id, row]));
  const crl = await storage.crl('issuing');
  const own = await storage.ownCertificates();
  return {
    crl: async () => crl,
    ownCertificates: async () => own,
    secrets: async (ids) => ids.map((id) => secrets.get(id) ?? null),
    secretCount: async () => secrets.size,
    approvals: async (ids) => ids.map((id) => approvals.get(id) ?? null),
    deviceState: () => Promise.reject(new Error('no device of a copy was stopped')),
  };
}

/** The copy with one entry rewritten and sealed again; its stored hash stays, as when somebody edits the database by hand. */
export function withEntry(copy: Copy, index: number, change: (entry: Entry) => Entry): Copy {
  const leaf = copy.entries[index]!;
  const beside = copy.blobs.filter((blob) => blob.index === index);
  const document = documentOf(decodeEntry(leaf), beside);
  const { entry } = readEntry(leaf, beside);
  const { bytes, blobs } = newEntry(change(entry) as unknown as LogEntry, randomBytes);
  return {
    ...copy,
    entries: copy.entries.toSpliced(index, 1, bytes),
    blobs: [
      ...copy.blobs.filter((blob) => blob !== document),
      ...blobs.map((blob) => ({ ...blob, index })),
    ].toSorted((a, b) => a.index - b.index),
  };
}

/** As `device erase` leaves it, told by an act at the end: nothing beside these entries, and no bytes of their certificates. */
export function withErased(copy: Copy, indexes: readonly number[]): Copy {
  return withAct(
    {
      ...copy,
      blobs: copy.blobs.filter(({ index }) => !indexes.includes(index)),
      certificates: copy.certificates.map((each) =>
        indexes.includes(each.logIndex) ? { ...each, der: new Uint8Array() } : each,
      ),
    },
    { as: 'E-1', erased: [{ log: copy.origin, indexes: rangesOf(indexes) }] },
  );
}

/** An erasure at the end of the log, whether or not it was carried out. */
export function withAct(copy: Copy, detail: Readonly<Record<string, unknown>>): Copy {
  const index = copy.entries.length;
  const common = { type: 'act', version: 2, id: `A-${index}`, time: 0, operator: 'ada' } as const;
  const { bytes, blobs } = newEntry({ ...common, act: eraseAct, detail }, randomBytes);
  return {
    ...copy,
    entries: [...copy.entries, bytes],
    hashes: [...copy.hashes, leafHash(bytes)],
    blobs: [...copy.blobs, ...blobs.map((blob) => ({ ...blob, index }))],
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
    ...copy.state,
    async *certificates() {
      yield* copy.certificates;
    },
    async *abandonedIntents() {},
    attester: refuse,
    lostCertificates: async () => [],
    async *revoked() {
      yield await refuse();
    },
    // Nobody of a copy speaks ACME.
    externalAccountKeys: async (ids) => ids.map(() => null),
    liveExternalAccountKeyBy: async () => null,
    accounts: async (ids) => ids.map(() => null),
    authorizations: async (ids) => ids.map(() => null),
    acmeCounts: async () => ({ externalAccountKeys: 0, accounts: 0, validAuthorizations: 0 }),
    close: async () => {},
  };
}
