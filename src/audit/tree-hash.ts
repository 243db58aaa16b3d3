import { hash } from 'node:crypto';
import { SallyportError } from '#errors';

/** Octets of a SHA-256 hash, the only hash of the tree. */
export const hashLength = 32;

const leafPrefix = 0x00;
const nodePrefix = 0x01;

/** Reused between calls: hashing is synchronous, so nobody else sees it half written. */
const node = Buffer.alloc(1 + 2 * hashLength, nodePrefix);

/** RFC 9162 section 2.1.1: MTH({d[0]}) = HASH(0x00 || d[0]). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const leaf = Buffer.allocUnsafe(1 + entry.length);
  leaf[0] = leafPrefix;
  leaf.set(entry, 1);
  return hash('sha256', leaf, 'buffer');
}

/** RFC 9162 section 2.1.1: HASH(0x01 || left || right). The prefix keeps a node from passing for a leaf. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  assertHash(left);
  assertHash(right);
  node.set(left, 1);
  node.set(right, 1 + hashLength);
  return hash('sha256', node, 'buffer');
}

/** RFC 9162 section 2.1.1: "The hash of an empty list is the hash of an empty string." */
export function emptyRoot(): Uint8Array {
  return hash('sha256', '', 'buffer');
}

export function sameHash(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** A shorter or longer "hash" would shift the boundary between the two halves of a node. */
export function assertHash(value: Uint8Array): void {
  if (value.length !== hashLength) {
    throw new SallyportError(
      'malformed',
      `a tree hash has ${hashLength} octets, this one has ${value.length}`,
    );
  }
}
