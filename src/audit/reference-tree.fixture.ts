import { createHash } from 'node:crypto';
import { CompactRange, type TileHashes, leafHash } from '#audit';

/** RFC 9162 section 2.1.1 word for word, slow and without any of the code under test. */
export function naiveRoot(entries: readonly Uint8Array[]): Uint8Array {
  const [first] = entries;
  if (first === undefined) return createHash('sha256').digest();
  if (entries.length === 1) return createHash('sha256').update(Buffer.of(0)).update(first).digest();
  let split = 1;
  while (split < entries.length) split *= 2;
  split /= 2;
  return createHash('sha256')
    .update(Buffer.of(1))
    .update(naiveRoot(entries.slice(0, split)))
    .update(naiveRoot(entries.slice(split)))
    .digest();
}

/** What a store does: keeps leaf hashes and the subtrees that the compact range reports, and nothing else. */
export class StoredTree implements TileHashes {
  readonly range: CompactRange = CompactRange.empty();
  readonly rows = new Map<number, Uint8Array[]>();
  reads = 0;

  static of(entries: readonly Uint8Array[]): StoredTree {
    const tree = new StoredTree();
    for (const entry of entries) tree.append(entry);
    return tree;
  }

  append(entry: Uint8Array): void {
    const leaf = leafHash(entry);
    this.#row(0).push(leaf);
    for (const { level, index, hash } of this.range.append(leaf)) {
      if (index !== this.#row(level).length) throw new Error(`level ${level} has a gap before ${index}`);
      this.#row(level).push(hash);
    }
  }

  async read(level: number, from: number, to: number): Promise<Uint8Array[]> {
    this.reads += 1;
    return this.#row(level).slice(from, to);
  }

  #row(level: number): Uint8Array[] {
    const row = this.rows.get(level) ?? [];
    this.rows.set(level, row);
    return row;
  }
}

export function entriesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(`entry ${index}`));
}

/** A copy with one bit turned. */
export function tampered(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = Math.floor(bit / 8) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
}
