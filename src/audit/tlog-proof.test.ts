import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import {
  formatCheckpoint,
  formatTlogProof,
  inclusionProof,
  leafHash,
  parseTlogProof,
  signNote,
  verifyTlogProof,
} from '#audit';
import { noteKey } from './note-key.fixture.ts';
import { StoredTree, entriesOf } from './reference-tree.fixture.ts';

const log = noteKey();
const tree = StoredTree.of(entriesOf(300));
const origin = log.signer.name;
const checkpoint = await signNote(
  formatCheckpoint({ origin, size: 300, root: tree.range.root() }),
  log.signer,
);
const leaf = leafHash(Buffer.from('entry 42'));
const hashes = await inclusionProof(42, 300, tree);
const proof = formatTlogProof({ index: 42, hashes, checkpoint });
const expected = { leafHash: leaf, log: log.verifier };

test('C2SP tlog-proof: lines in their order, then the checkpoint verbatim', () => {
  const withExtra = formatTlogProof({ index: 42, hashes, checkpoint, extra: Buffer.from('hi') });
  const base64 = hashes.map((hash) => Buffer.from(hash).toString('base64'));
  assert.equal(
    withExtra,
    `c2sp.org/tlog-proof@v1\nextra aGk=\nindex 42\n${base64.join('\n')}\n\n${checkpoint}`,
  );
});

test('a proof verifies offline', () => {
  const verified = verifyTlogProof(proof, expected);
  assert.equal(verified.index, 42);
  assert.equal(verified.checkpoint.size, 300);
  assert.equal(verified.checkpoint.origin, origin);
});

test('cosignatures of witnesses that the verifier does not know do no harm', () => {
  const cosigned = `${checkpoint}— witness.example ${Buffer.alloc(76, 1).toString('base64')}\n`;
  assert.equal(
    verifyTlogProof(formatTlogProof({ index: 42, hashes, checkpoint: cosigned }), expected).index,
    42,
  );
});

test('the proof of a log of one entry has no hashes', async () => {
  const one = StoredTree.of(entriesOf(1));
  const note = await signNote(formatCheckpoint({ origin, size: 1, root: one.range.root() }), log.signer);
  const text = formatTlogProof({ index: 0, hashes: [], checkpoint: note });
  assert.ok(text.startsWith(`c2sp.org/tlog-proof@v1\nindex 0\n\n${origin}\n`));
  assert.equal(verifyTlogProof(text, { ...expected, leafHash: leafHash(Buffer.from('entry 0')) }).index, 0);
});

test('what is formatted parses to the same', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const proofs = fc.record(
    {
      index: fc.maxSafeNat(),
      hashes: fc.array(hash, { maxLength: 63 }),
      checkpoint: fc.string(),
      extra: fc.uint8Array({ minLength: 1 }),
    },
    { requiredKeys: ['index', 'hashes', 'checkpoint'] },
  );
  fc.assert(
    fc.property(proofs, (made) => {
      const parsed = parseTlogProof(formatTlogProof(made));
      assert.deepEqual(
        parsed.hashes.map((bytes) => Uint8Array.from(bytes)),
        made.hashes,
      );
      assert.deepEqual(parsed.extra && Uint8Array.from(parsed.extra), made.extra);
      assert.equal(parsed.index, made.index);
      assert.equal(parsed.checkpoint, made.checkpoint);
    }),
  );
});

test('another leaf, another index, another log key or a changed character does not verify', () => {
  const other = { ...expected, leafHash: leafHash(Buffer.from('entry 43')) };
  assert.throws(() => verifyTlogProof(proof, other), { code: 'log' });
  assert.throws(() => verifyTlogProof(proof.replace('index 42', 'index 43'), expected), { code: 'log' });
  assert.throws(() => verifyTlogProof(proof, { ...expected, log: noteKey().verifier }), {
    code: 'bad-signature',
  });
  for (let at = 0; at < proof.length; at += 1) {
    const changed = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`;
    assert.throws(
      () => verifyTlogProof(changed, expected),
      (error) => isSallyportError(error, 'malformed', 'bad-signature', 'log'),
      `character ${at}`,
    );
  }
});

test('what is not formed as a proof is refused', () => {
  const hash = Buffer.from(leaf).toString('base64');
  for (const head of [
    '',
    'c2sp.org/tlog-proof@v2\nindex 1',
    'c2sp.org/tlog-proof@v1',
    'c2sp.org/tlog-proof@v1\nindex',
    'c2sp.org/tlog-proof@v1\nindex 01',
    'c2sp.org/tlog-proof@v1\nindex -1',
    'c2sp.org/tlog-proof@v1\nindex  1',
    'c2sp.org/tlog-proof@v1\nextra \nindex 1',
    'c2sp.org/tlog-proof@v1\nextra *\nindex 1',
    'c2sp.org/tlog-proof@v1\nextra aGk=\nextra aGk=\nindex 1',
    'c2sp.org/tlog-proof@v1\nindex 1\nextra aGk=',
    `c2sp.org/tlog-proof@v1\nindex 1\n${hash.slice(4)}`,
    `c2sp.org/tlog-proof@v1\r\nindex 1`,
  ]) {
    assert.throws(
      () => parseTlogProof(`${head}\n\n${checkpoint}`),
      { code: 'malformed' },
      JSON.stringify(head),
    );
  }
  assert.throws(() => parseTlogProof('c2sp.org/tlog-proof@v1\nindex 1\n'), { code: 'malformed' });
  const long = formatTlogProof({ index: 1, hashes: Array(64).fill(leaf), checkpoint });
  assert.throws(() => parseTlogProof(long), { code: 'too-large' });
  assert.throws(() => parseTlogProof(proof + 'A'.repeat(600_000)), { code: 'too-large' });
  assert.throws(() => formatTlogProof({ index: 0.5, hashes, checkpoint }), { code: 'malformed' });
  assert.throws(() => formatTlogProof({ index: 1, hashes: [leaf.subarray(1)], checkpoint }), {
    code: 'malformed',
  });
  assert.throws(() => formatTlogProof({ index: 1, hashes, checkpoint, extra: Buffer.alloc(0) }), {
    code: 'malformed',
  });
});
