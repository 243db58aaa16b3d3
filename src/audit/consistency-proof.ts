import { SallyportError } from '#errors';
import { type EntryRange, type TileHashes, rangeRoots } from './tile-hashes.ts';
import type { TreeHead } from './tree-head.ts';
import { nodeHash, sameHash } from './tree-hash.ts';
import { isTreeSize, splitPoint } from './tree-size.ts';

/**
 * RFC 9162 section 2.1.4.1: PROOF(from, D[to]), defined for 0 < from <= to. The empty tree is a prefix of every log, ours and any other: a "proof" from
 * size 0, to size 0 included, would say nothing of what comes after it, so that asking for one is an error (as in transparency-dev/merkle).
 */
export async function consistencyProof(from: number, to: number, hashes: TileHashes): Promise<Uint8Array[]> {
  if (!isTreeSize(from) || !isTreeSize(to) || from === 0 || from > to) {
    throw new SallyportError('not-found', `there is no consistency proof from size ${from} to size ${to}`);
  }
  return rangeRoots(provenNodes(from, to), to, hashes);
}

export interface ConsistencyClaim {
  readonly from: TreeHead;
  readonly to: TreeHead;
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 section 2.1.4.2. Throws unless the tree `from` is a prefix of the tree `to`. Of an empty `from` nothing is proven, whatever the roots: who has
 * seen an empty log begins anew, as with a log never seen.
 */
export function verifyConsistency({ from, to, proof }: ConsistencyClaim): void {
  if (!isTreeSize(from.size) || !isTreeSize(to.size) || from.size === 0 || from.size > to.size) {
    throw new SallyportError('log', `size ${from.size} to size ${to.size} proves nothing`);
  }
  if (from.size === to.size) {
    if (proof.length > 0) throw new SallyportError('log', 'the consistency proof is too long');
    assertRoot(from.root, to);
    return;
  }
  if (proof.length === 0) throw new SallyportError('log', 'the consistency proof is too short');

  // "If first is an exact power of 2, then prepend first_hash to the consistency_path array."
  const [start, ...path] = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  if (start === undefined) throw new SallyportError('internal', 'an empty consistency path');
  let fn = from.size - 1;
  let sn = to.size - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  let fr = start;
  let sr = start;
  for (const c of path) {
    if (sn === 0) throw new SallyportError('log', 'the consistency proof is too long');
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      sr = nodeHash(sr, c);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw new SallyportError('log', 'the consistency proof is too short');
  assertRoot(fr, from);
  assertRoot(sr, to);
}

function assertRoot(computed: Uint8Array, head: TreeHead): void {
  if (!sameHash(computed, head.root)) {
    throw new SallyportError('log', `the trees are not consistent: another root at size ${head.size}`);
  }
}

function provenNodes(first: number, size: number): EntryRange[] {
  const nodes: EntryRange[] = [];
  let from = 0;
  let to = size;
  // SUBPROOF's b: the subtree begins at entry 0, so that the verifier knows its root once it is the first tree.
  let known = true;
  while (to !== first) {
    const split = from + splitPoint(to - from);
    if (first <= split) {
      nodes.push({ from: split, to });
      to = split;
    } else {
      nodes.push({ from, to: split });
      from = split;
      known = false;
    }
  }
  if (!known) nodes.push({ from, to });
  return nodes.reverse();
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
