import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { formatEntryBundle, parseEntryBundle } from '#audit';

test('C2SP tlog-tiles: entries have a big-endian length of 16 bits before them', () => {
  const bundle = formatEntryBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(258, 1)]);
  assert.equal(Buffer.from(bundle.subarray(0, 8)).toString('hex'), '0002616200000102');
  assert.equal(bundle.length, 4 + 2 + 260);
});

test('what is formatted parses to the same', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array(), { minLength: 1, maxLength: 256 }), (entries) => {
      const parsed = parseEntryBundle(formatEntryBundle(entries));
      assert.deepEqual(
        parsed.map((entry) => Uint8Array.from(entry)),
        entries,
      );
    }),
    { numRuns: 50 },
  );
});

test('a bundle has 1 to 256 entries of up to 65,535 octets', () => {
  const entry = Buffer.from('x');
  assert.equal(parseEntryBundle(formatEntryBundle(Array(256).fill(entry))).length, 256);
  assert.throws(() => formatEntryBundle(Array(257).fill(entry)), { code: 'malformed' });
  assert.throws(() => formatEntryBundle([]), { code: 'malformed' });
  assert.throws(() => parseEntryBundle(Buffer.alloc(0)), { code: 'malformed' });
  assert.throws(() => parseEntryBundle(Buffer.alloc(2 * 257)), { code: 'malformed' });
  const longest = Buffer.alloc(65_535, 1);
  assert.deepEqual(parseEntryBundle(formatEntryBundle([longest])), [longest]);
  assert.throws(() => formatEntryBundle([Buffer.alloc(65_536)]), { code: 'too-large' });
});

test('a bundle cut off anywhere inside an entry is refused', () => {
  const bundle = formatEntryBundle([Buffer.from('first'), Buffer.from('second')]);
  for (let length = 0; length < bundle.length; length += 1) {
    if (length === 7) continue;
    assert.throws(
      () => parseEntryBundle(bundle.subarray(0, length)),
      { code: 'malformed' },
      `${length} octets`,
    );
  }
});

test('arbitrary octets give entries or a typed error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      try {
        assert.equal(Buffer.compare(formatEntryBundle(parseEntryBundle(bytes)), bytes), 0);
      } catch (error) {
        assert.ok(isSallyportError(error, 'malformed'), String(error));
      }
    }),
  );
});
