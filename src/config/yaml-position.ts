import { isCollection, isMap, isPair, isScalar, isSeq, type Node, type Pair } from 'yaml';
import type { KeyPath } from './problem.ts';

/** Offset of a path's key or value; for a path that does not exist, of the nearest map or list above it. */
export function locate(root: Node | null, path: KeyPath, part: 'key' | 'value'): number {
  let offset = start(root);
  let node: unknown = root;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    if (typeof step === 'number') {
      if (!isSeq(node) || step >= node.items.length) return offset;
      node = node.items[step];
      offset = start(node);
    } else {
      const pair = pairsOf(node).find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) return offset;
      offset = start(pair.key);
      node = pair.value;
      // A map or list begins at its first entry, which is not what is meant; an absent value has no place at all.
      if (last && part === 'value' && isScalar(node) && node.value !== null) offset = start(node);
    }
  }
  return offset;
}

/** The innermost path whose text holds the offset: for errors of syntax, which come without one. */
export function pathAt(root: Node | null, offset: number): KeyPath {
  const path: (string | number)[] = [];
  let node: unknown = root;
  while (isCollection(node) && path.length < 24) {
    if (isSeq(node)) {
      const index = node.items.findLastIndex((item) => start(item) <= offset);
      if (index < 0) break;
      path.push(index);
      node = node.items[index];
    } else {
      const pair = pairsOf(node).findLast(({ key }) => isScalar(key) && start(key) <= offset);
      if (pair === undefined || !isScalar(pair.key)) break;
      path.push(String(pair.key.value));
      node = pair.value;
    }
  }
  return path;
}

function pairsOf(node: unknown): readonly Pair[] {
  if (isPair(node)) return [node];
  return isMap(node) ? node.items : [];
}

function start(node: unknown): number {
  if (isPair(node)) return start(node.key);
  return isScalar(node) || isCollection(node) ? (node.range?.[0] ?? 0) : 0;
}
