import { SallyportError } from '#errors';
import { type TileLevel, isStoredLevel } from './tile-hashes.ts';
import { assertHash, emptyRoot, hashLength, nodeHash } from './tree-hash.ts';
import { isTreeSize } from './tree-size.ts';

/** A subtree that an append filled. Its root never changes again and is to be stored beside the entry. */
export interface CompletedSubtree {
  /** Height: the subtree has 2^level leaves, the first of which is entry `index * 2^level`. */
  readonly level: Exclude<TileLevel, 0>;
  readonly index: number;
  readonly hash: Uint8Array;
}

const noneCompleted: readonly CompletedSubtree[] = Object.freeze([]);

/**
 * The right edge of the tree: the roots of the full subtrees that the size's binary digits name, largest
 * first. All that is needed to append and to compute the root; whoever owns the head saves it with the
 * entries.
 */
export class CompactRange {
  #size: number;
  readonly #hashes: Uint8Array[];

  private constructor(size: number, hashes: Uint8Array[]) {
    this.#size = size;
    this.#hashes = hashes;
  }

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** `hashes` is what `toBytes` gave at that size. */
  static restore(size: number, hashes: Uint8Array): CompactRange {
    if (!isTreeSize(size)) throw new SallyportError('malformed', `${size} is not a tree size`);
    if (hashes.length !== onesOf(size) * hashLength) {
      throw new SallyportError(
        'malformed',
        `a tree of size ${size} has not ${hashes.length} octets of hashes`,
      );
    }
    // Copied, for the caller's buffer may be reused.
    const bytes = Buffer.from(hashes);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += hashLength) parts.push(bytes.subarray(at, at + hashLength));
    return new CompactRange(size, parts);
  }

  get size(): number {
    return this.#size;
  }

  /**
   * One node hash amortised. Returns the stored subtrees that this leaf completed, lowest first; mostly none.
   */
  append(leaf: Uint8Array): readonly CompletedSubtree[] {
    assertHash(leaf);
    let completed: CompletedSubtree[] | undefined;
    let hash = leaf;
    let level = 0;
    let index = this.#size;
    while (index % 2 === 1) {
      const left = this.#hashes.pop();
      if (left === undefined) throw new SallyportError('internal', 'a compact range lost a hash');
      hash = nodeHash(left, hash);
      level += 1;
      index = (index - 1) / 2;
      if (isStoredLevel(level)) (completed ??= []).push({ level, index, hash });
    }
    this.#hashes.push(hash);
    this.#size += 1;
    return completed ?? noneCompleted;
  }

  /** RFC 9162 section 2.1.1: MTH over all leaves appended so far. */
  root(): Uint8Array {
    if (this.#size === 0) return emptyRoot();
    return this.#hashes.reduceRight((right, left) => nodeHash(left, right));
  }

  /** The hashes one after the other, 32 octets each: one for each 1 in the size's binary digits. */
  toBytes(): Uint8Array {
    return Buffer.concat(this.#hashes);
  }

  /** For appending inside a transaction that may be rolled back. */
  clone(): CompactRange {
    return new CompactRange(this.#size, [...this.#hashes]);
  }
}

function onesOf(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}
