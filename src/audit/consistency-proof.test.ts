import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { consistencyProof, leafHash, nodeHash, treeRoot, verifyConsistency } from '#audit';
import { StoredTree, entriesOf, naiveRoot, tampered } from './reference-tree.fixture.ts';

/** SUBPROOF of RFC 9162 section 2.1.4.1, word for word. */
function naiveSubproof(first: number, entries: readonly Uint8Array[], known: boolean): Uint8Array[] {
  if (first === entries.length) return known ? [] : [naiveRoot(entries)];
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  const [left, right] = [entries.slice(0, split), entries.slice(split)];
  return first <= split
    ? [...naiveSubproof(first, left, known), naiveRoot(right)]
    : [...naiveSubproof(first - split, right, false), naiveRoot(left)];
}

const entries = entriesOf(700);
const tree = StoredTree.of(entries);

const twoSizes = fc
  .integer({ min: 1, max: entries.length })
  .chain((to) => fc.record({ from: fc.integer({ min: 1, max: to }), to: fc.constant(to) }));

async function provenClaim(from: number, to: number) {
  return {
    from: { size: from, root: naiveRoot(entries.slice(0, from)) },
    to: { size: to, root: naiveRoot(entries.slice(0, to)) },
    proof: await consistencyProof(from, to, tree),
  };
}

test('RFC 9162 section 2.1.4: proofs are PROOF(m, D[n]) between any two sizes, and verify', async () => {
  await fc.assert(
    fc.asyncProperty(twoSizes, async ({ from, to }) => {
      const claim = await provenClaim(from, to);
      assert.deepEqual(claim.proof, naiveSubproof(from, entries.slice(0, to), true));
      verifyConsistency(claim);
    }),
    { numRuns: 100 },
  );
});

test('one bit of the proof or of a root turned does not verify', async () => {
  await fc.assert(
    fc.asyncProperty(twoSizes, fc.nat({ max: 255 }), fc.nat(), async ({ from, to }, bit, pick) => {
      const claim = await provenClaim(from, to);
      const first = { ...claim.from, root: tampered(claim.from.root, bit) };
      const second = { ...claim.to, root: tampered(claim.to.root, bit) };
      assert.throws(() => verifyConsistency({ ...claim, from: first }), { code: 'log' });
      assert.throws(() => verifyConsistency({ ...claim, to: second }), { code: 'log' });
      if (claim.proof.length === 0) return;
      const at = pick % claim.proof.length;
      const proof = claim.proof.map((hash, other) => (other === at ? tampered(hash, bit) : hash));
      assert.throws(() => verifyConsistency({ ...claim, proof }), { code: 'log' });
    }),
    { numRuns: 100 },
  );
});

test('a rewritten history has no proof', async () => {
  const rewritten = entries.with(10, Buffer.from('another'));
  const proof = await consistencyProof(300, 700, StoredTree.of(rewritten));
  const from = { size: 300, root: naiveRoot(entries.slice(0, 300)) };
  assert.throws(() => verifyConsistency({ from, to: { size: 700, root: naiveRoot(rewritten) }, proof }), {
    code: 'log',
  });
});

test('a hash more or less does not verify', async () => {
  for (const [from, to] of [
    [300, 700],
    [256, 700],
    [5, 5],
  ] as const) {
    const claim = await provenClaim(from, to);
    assert.throws(() => verifyConsistency({ ...claim, proof: [...claim.proof, claim.to.root] }), {
      code: 'log',
    });
    if (claim.proof.length === 0) continue;
    assert.throws(() => verifyConsistency({ ...claim, proof: claim.proof.slice(0, -1) }), { code: 'log' });
    assert.throws(() => verifyConsistency({ ...claim, proof: [] }), { code: 'log' });
  }
});

test('a proof longer than the tree is high is refused, whatever the roots', () => {
  const hash = (text: string): Uint8Array => leafHash(Buffer.from(text));
  const left = nodeHash(hash('a'), hash('b'));
  const three = nodeHash(left, hash('c'));
  const four = nodeHash(left, nodeHash(hash('c'), hash('d')));
  const proof = [hash('c'), hash('d'), left];
  verifyConsistency({ from: { size: 3, root: three }, to: { size: 4, root: four }, proof });
  const extra = hash('e');
  const longer = {
    from: { size: 3, root: nodeHash(extra, three) },
    to: { size: 4, root: nodeHash(extra, four) },
    proof: [...proof, extra],
  };
  assert.throws(() => verifyConsistency(longer), {
    code: 'log',
    message: 'the consistency proof is too long',
  });
});

test('the empty tree, a shrinking tree and what is no size prove nothing', async () => {
  const claim = await provenClaim(5, 7);
  for (const [from, to] of [
    [0, 0],
    [0, 7],
    [7, 5],
    [0.5, 7],
    [5, 2 ** 53],
  ] as const) {
    const resized = { ...claim, from: { ...claim.from, size: from }, to: { ...claim.to, size: to } };
    assert.throws(() => verifyConsistency(resized), { code: 'log' });
    await assert.rejects(consistencyProof(from, to, tree), { code: 'not-found' });
  }
});

test('from size 0 there is no proof, and none verifies: not with the right roots, not to size 0 itself', async () => {
  const empty = { size: 0, root: naiveRoot([]) };
  for (const size of [0, 1, 2, 256, 700]) {
    await assert.rejects(consistencyProof(0, size, tree), { code: 'not-found' });
    const to = { size, root: naiveRoot(entries.slice(0, size)) };
    for (const proof of [[], [to.root], await consistencyProof(1, Math.max(size, 1), tree)]) {
      assert.throws(() => verifyConsistency({ from: empty, to, proof }), {
        code: 'log',
        message: `size 0 to size ${size} proves nothing`,
      });
    }
  }
});

test('the root of every earlier size is computed of the stored hashes', async () => {
  for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 699, 700]) {
    assert.deepEqual(await treeRoot(size, tree), naiveRoot(entries.slice(0, size)));
  }
});

test('a log is asked for subtrees of up to 2^40 entries and says so beyond', async () => {
  const zeros = {
    read: async (_: number, from: number, to: number) => Array(to - from).fill(Buffer.alloc(32)),
  };
  assert.equal((await consistencyProof(3, 2 ** 40, zeros)).length, 41);
  await assert.rejects(consistencyProof(3, 2 ** 41 + 1, zeros), { code: 'too-large' });
});
