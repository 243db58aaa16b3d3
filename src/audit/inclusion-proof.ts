import { SallyportError } from '#errors';
import { type EntryRange, type TileHashes, rangeRoots } from './tile-hashes.ts';
import { assertHash, nodeHash, sameHash } from './tree-hash.ts';
import { isTreeSize, splitPoint } from './tree-size.ts';

/** RFC 9162 section 2.1.3.1: PATH(index, D[size]), the leaf's sibling first. */
export async function inclusionProof(index: number, size: number, hashes: TileHashes): Promise<Uint8Array[]> {
  if (!isTreeSize(index) || !isTreeSize(size) || index >= size) {
    throw new SallyportError('not-found', `a log of ${size} entries has no entry ${index}`);
  }
  return rangeRoots(siblings(index, size), size, hashes);
}

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** RFC 9162 section 2.1.3.2. Throws unless the leaf is at that index of the tree with that size and root. */
export function verifyInclusion({ index, size, leafHash, proof, root }: InclusionClaim): void {
  if (!isTreeSize(index) || !isTreeSize(size) || index >= size) {
    throw new SallyportError('log', `a tree of size ${size} cannot prove entry ${index}`);
  }
  assertHash(leafHash);
  let fn = index;
  let sn = size - 1;
  let r = leafHash;
  for (const p of proof) {
    if (sn === 0) throw new SallyportError('log', 'the inclusion proof is too long');
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      r = nodeHash(r, p);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  if (sn !== 0) throw new SallyportError('log', 'the inclusion proof is too short');
  if (!sameHash(r, root)) {
    throw new SallyportError('log', `entry ${index} is not in the tree of size ${size} with this root`);
  }
}

function siblings(index: number, size: number): EntryRange[] {
  const path: EntryRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const split = from + splitPoint(to - from);
    if (index < split) {
      path.push({ from: split, to });
      to = split;
    } else {
      path.push({ from, to: split });
      from = split;
    }
  }
  return path.reverse();
}
