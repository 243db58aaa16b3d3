import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { inclusionProof, leafHash, nodeHash, verifyInclusion } from '#audit';
import { StoredTree, entriesOf, naiveRoot, tampered } from './reference-tree.fixture.ts';

/** PATH of RFC 9162 section 2.1.3.1, word for word. */
function naivePath(index: number, entries: readonly Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) return [];
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  const [left, right] = [entries.slice(0, split), entries.slice(split)];
  return index < split
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - split, right), naiveRoot(left)];
}

const entries = entriesOf(700);
const tree = StoredTree.of(entries);

/** An entry and a size of the log at which it was there. */
const indexAndSize = fc
  .integer({ min: 1, max: entries.length })
  .chain((size) => fc.record({ index: fc.nat({ max: size - 1 }), size: fc.constant(size) }));

async function provenClaim(index: number, size: number) {
  return {
    index,
    size,
    leafHash: leafHash(entries[index] ?? Buffer.alloc(0)),
    proof: await inclusionProof(index, size, tree),
    root: naiveRoot(entries.slice(0, size)),
  };
}

test('RFC 9162 section 2.1.3: proofs are PATH(m, D[n]) at every size the log had, and verify', async () => {
  await fc.assert(
    fc.asyncProperty(indexAndSize, async ({ index, size }) => {
      const claim = await provenClaim(index, size);
      assert.deepEqual(claim.proof, naivePath(index, entries.slice(0, size)));
      verifyInclusion(claim);
    }),
    { numRuns: 100 },
  );
});

test('one bit of proof, leaf or root turned does not verify', async () => {
  await fc.assert(
    fc.asyncProperty(indexAndSize, fc.nat({ max: 255 }), fc.nat(), async ({ index, size }, bit, pick) => {
      const claim = await provenClaim(index, size);
      assert.throws(() => verifyInclusion({ ...claim, leafHash: tampered(claim.leafHash, bit) }), {
        code: 'log',
      });
      assert.throws(() => verifyInclusion({ ...claim, root: tampered(claim.root, bit) }), { code: 'log' });
      if (claim.proof.length === 0) return;
      const at = pick % claim.proof.length;
      const proof = claim.proof.map((hash, other) => (other === at ? tampered(hash, bit) : hash));
      assert.throws(() => verifyInclusion({ ...claim, proof }), { code: 'log' });
    }),
    { numRuns: 100 },
  );
});

test('every octet of a proof counts', async () => {
  const claim = await provenClaim(123, 700);
  for (let octet = 0; octet < claim.proof.length * 32; octet += 1) {
    const proof = claim.proof.map((hash, at) =>
      at === Math.floor(octet / 32) ? tampered(hash, (octet % 32) * 8) : hash,
    );
    assert.throws(() => verifyInclusion({ ...claim, proof }), { code: 'log' });
  }
});

test('a proof for another index, a hash more, a hash less or in another order does not verify', async () => {
  const claim = await provenClaim(123, 700);
  assert.throws(() => verifyInclusion({ ...claim, index: 124 }), { code: 'log' });
  assert.throws(() => verifyInclusion({ ...claim, proof: claim.proof.slice(1) }), { code: 'log' });
  assert.throws(() => verifyInclusion({ ...claim, proof: claim.proof.slice(0, -1) }), { code: 'log' });
  assert.throws(() => verifyInclusion({ ...claim, proof: [...claim.proof, claim.root] }), { code: 'log' });
  assert.throws(() => verifyInclusion({ ...claim, proof: claim.proof.toReversed() }), { code: 'log' });
});

test('a proof longer than the tree is high is refused, whatever its root', () => {
  const leaf = leafHash(Buffer.from('a'));
  const extra = leafHash(Buffer.from('b'));
  const claim = { index: 0, size: 1, leafHash: leaf, proof: [extra], root: nodeHash(extra, leaf) };
  assert.throws(() => verifyInclusion(claim), { code: 'log', message: 'the inclusion proof is too long' });
});

test('what is no index or no hash is refused', async () => {
  const claim = await provenClaim(0, 1);
  for (const index of [1, -1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => verifyInclusion({ ...claim, index }), { code: 'log' });
    await assert.rejects(inclusionProof(index, 1, tree), { code: 'not-found' });
  }
  assert.throws(() => verifyInclusion({ ...claim, leafHash: claim.leafHash.subarray(1) }), {
    code: 'malformed',
  });
  assert.throws(() => verifyInclusion({ ...claim, root: claim.root.subarray(1) }), { code: 'log' });
  await assert.rejects(inclusionProof(0, 0, tree), { code: 'not-found' });
});

describe('a log of 70,000 entries', () => {
  const size = 70_000;
  let large: StoredTree;
  before(() => {
    large = StoredTree.of(entriesOf(size));
  });

  test('proves entries by one or two tiles a level', async () => {
    for (const index of [0, 255, 256, 65_535, 65_536, 69_887, 69_888, size - 1]) {
      large.reads = 0;
      const proof = await inclusionProof(index, size, large);
      verifyInclusion({
        index,
        size,
        proof,
        leafHash: leafHash(Buffer.from(`entry ${index}`)),
        root: large.range.root(),
      });
      assert.ok(large.reads <= 6, `${large.reads} reads`);
    }
  });

  test('needs no hash that it does not keep', async () => {
    const missing = { read: async () => [] };
    await assert.rejects(inclusionProof(0, size, missing), { code: 'log' });
    const short = {
      read: async (level: number, from: number, to: number) => [...(await large.read(level, from, to - 1))],
    };
    await assert.rejects(inclusionProof(0, size, short), { code: 'log' });
    const cut = {
      read: async (_: number, from: number, to: number) => Array(to - from).fill(Buffer.alloc(31)),
    };
    await assert.rejects(inclusionProof(0, size, cut), { code: 'malformed' });
    await assert.rejects(inclusionProof(0, 2, cut), { code: 'malformed' });
  });
});
