import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { emptyRoot, formatCheckpoint, leafHash, openCheckpoint, parseCheckpoint, signNote } from '#audit';
import { noteKey } from './note-key.fixture.ts';

/** The example of C2SP tlog-checkpoint. */
const example = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const root = leafHash(Buffer.from('a'));
const origin = 'log.example/audit';

test('C2SP tlog-checkpoint: the example is read and written', () => {
  const checkpoint = parseCheckpoint(example);
  assert.equal(checkpoint.origin, 'example.com/behind-the-sofa');
  assert.equal(checkpoint.size, 20_852_163);
  assert.deepEqual(checkpoint.extensions, []);
  assert.equal(formatCheckpoint(checkpoint), example);
});

test('what is formatted parses to the same', () => {
  const checkpoints = fc.record({
    origin: fc.stringMatching(/^[a-zé0-9./-]{1,40}$/),
    size: fc.maxSafeNat(),
    root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  });
  fc.assert(
    fc.property(checkpoints, (checkpoint) => {
      const parsed = parseCheckpoint(formatCheckpoint(checkpoint));
      assert.deepEqual({ ...parsed, root: Uint8Array.from(parsed.root) }, { ...checkpoint, extensions: [] });
    }),
  );
});

test('extension lines of other logs are kept apart', () => {
  assert.deepEqual(parseCheckpoint(`${example}one\ntwo\n`).extensions, ['one', 'two']);
});

test('what is no checkpoint is refused', () => {
  const hash = Buffer.from(root).toString('base64');
  const sizes = [
    '',
    '01',
    '00',
    '+1',
    '-1',
    '1e3',
    '0x1',
    '1.0',
    ' 1',
    '1 ',
    '١',
    '9007199254740992',
    '99999999999999999',
  ];
  const texts = [
    '',
    '\n',
    `${origin}\n1\n`,
    `${origin}\n1\n${hash}`,
    `\n1\n${hash}\n`,
    `${origin}\n1\n${hash}\n\n`,
    `${origin}\n1\n${hash}\n\nextension\n`,
    `${origin}\n1\n${hash.slice(0, -1)}\n`,
    `${origin}\n1\n${Buffer.alloc(31).toString('base64')}\n`,
    `${origin}\n1\n${Buffer.alloc(33).toString('base64')}\n`,
    `${origin}\n1\n${hash} \n`,
    `${origin}\r\n1\r\n${hash}\r\n`,
    ...sizes.map((size) => `${origin}\n${size}\n${hash}\n`),
  ];
  for (const text of texts) {
    assert.throws(() => parseCheckpoint(text), { code: 'malformed' }, JSON.stringify(text));
  }
});

test('arbitrary lines give a checkpoint or a typed error', () => {
  const parts = fc.array(
    fc.constantFrom('\n', '0', '1', 'a', Buffer.from(root).toString('base64'), '\n\n', ' '),
  );
  fc.assert(
    fc.property(parts, (lines) => {
      try {
        parseCheckpoint(lines.join(''));
      } catch (error) {
        assert.ok(isSallyportError(error, 'malformed'), String(error));
      }
    }),
  );
});

test('what would not be a checkpoint is not formatted', () => {
  for (const bad of [
    { origin: '' },
    { origin: 'a b' },
    { origin: 'a\nb' },
    { size: -1 },
    { size: 0.5 },
    { size: 2 ** 53 },
  ]) {
    assert.throws(() => formatCheckpoint({ origin, size: 1, root, ...bad }), { code: 'malformed' });
  }
  assert.throws(() => formatCheckpoint({ origin, size: 1, root: root.subarray(1) }), { code: 'malformed' });
});

test('a signed checkpoint opens for the log that signed it', async () => {
  const log = noteKey(origin);
  const note = await signNote(formatCheckpoint({ origin, size: 0, root: emptyRoot() }), log.signer);
  assert.equal(openCheckpoint(note, log.verifier).size, 0);
  assert.throws(() => openCheckpoint(note, noteKey(origin).verifier), { code: 'bad-signature' });
});

test('a checkpoint of another origin is refused, though the key signed it', async () => {
  const log = noteKey(origin);
  const note = await signNote(formatCheckpoint({ origin: 'elsewhere.example', size: 1, root }), log.signer);
  assert.throws(() => openCheckpoint(note, log.verifier), { code: 'log' });
});

test('another text that the key signed is no checkpoint', async () => {
  const log = noteKey(origin);
  const note = await signNote(`${origin}\nhello\n`, log.signer);
  assert.throws(() => openCheckpoint(note, log.verifier), { code: 'malformed' });
});
