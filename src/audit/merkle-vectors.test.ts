import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { isSallyportError } from '#errors';
import { verifyConsistency, verifyInclusion } from '#audit';

/** Vectors of transparency-dev/merkle, not part of the checkout. */
const vectors = join(import.meta.dirname, '../../../shared/data/merkle');
const skip = existsSync(vectors)
  ? false
  : 'the transparency-dev/merkle vectors are not at ../shared/data/merkle';

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}
interface InclusionVector extends Vector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly leafHash: string | null;
  readonly root: string | null;
}
interface ConsistencyVector extends Vector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string | null;
  readonly root2: string | null;
}

const bytes = (base64: string | null): Uint8Array => Buffer.from(base64 ?? '', 'base64');

function checkAll<V extends Vector>(kind: string, atLeast: number, verify: (vector: V) => void): void {
  const files = globSync(join(vectors, kind, '**/*.json'));
  assert.ok(files.length >= atLeast, `only ${files.length} vectors`);
  for (const file of files) {
    const vector = JSON.parse(readFileSync(file, 'utf8')) as V;
    let refusal: unknown;
    try {
      verify(vector);
    } catch (error) {
      refusal = error;
    }
    if (refusal !== undefined) {
      assert.ok(isSallyportError(refusal, 'log', 'malformed'), `${file}: ${inspect(refusal)}`);
    }
    assert.equal(refusal !== undefined, vector.wantErr, `${file}: ${vector.desc}`);
  }
}

describe('transparency-dev/merkle vectors', { skip }, () => {
  test('inclusion proofs', () => {
    checkAll<InclusionVector>('inclusion', 90, ({ leafIdx, treeSize, leafHash, root, proof }) =>
      verifyInclusion({
        index: leafIdx,
        size: treeSize,
        leafHash: bytes(leafHash),
        root: bytes(root),
        proof: (proof ?? []).map(bytes),
      }),
    );
  });

  test('consistency proofs from the empty tree are among the invalid ones', () => {
    const files = globSync(join(vectors, 'consistency', '**/*.json'));
    const fromEmpty = files
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as ConsistencyVector)
      .filter(({ size1 }) => size1 === 0);
    assert.ok(fromEmpty.some(({ size2 }) => size2 === 0));
    assert.ok(fromEmpty.every(({ wantErr }) => wantErr));
  });

  test('consistency proofs', () => {
    checkAll<ConsistencyVector>('consistency', 90, ({ size1, size2, root1, root2, proof }) =>
      verifyConsistency({
        from: { size: size1, root: bytes(root1) },
        to: { size: size2, root: bytes(root2) },
        proof: (proof ?? []).map(bytes),
      }),
    );
  });
});
