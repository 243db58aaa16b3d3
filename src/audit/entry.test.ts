import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { decodeEntry, encodeEntry, maximumEntryLength } from '#audit';

const entries = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ stringUnit: 'grapheme' }));

test('what is encoded decodes to the same', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const decoded = decodeEntry(encodeEntry(entry));
      assert.deepEqual(decoded, JSON.parse(JSON.stringify(entry)));
      assert.deepEqual(encodeEntry(decoded), encodeEntry(entry));
    }),
  );
});

test('an entry is UTF-8 without white space, members sorted', () => {
  assert.equal(Buffer.from(encodeEntry({ b: 'é', a: [1, 2] })).toString(), '{"a":[1,2],"b":"é"}');
});

test('an entry has at most 65,535 octets, counted as UTF-8', () => {
  const overhead = '{"a":""}'.length;
  assert.equal(encodeEntry({ a: 'x'.repeat(maximumEntryLength - overhead) }).length, 65_535);
  assert.throws(() => encodeEntry({ a: 'x'.repeat(maximumEntryLength - overhead + 1) }), {
    code: 'too-large',
  });
  assert.throws(() => encodeEntry({ a: 'é'.repeat(maximumEntryLength / 2) }), { code: 'too-large' });
  assert.throws(() => decodeEntry(Buffer.alloc(65_536, ' ')), { code: 'too-large' });
});

test('a member that is undefined is refused, not dropped', () => {
  assert.throws(() => encodeEntry({ a: undefined }), { code: 'malformed' });
});

test('other bytes of the same meaning are not an entry', () => {
  for (const text of [
    '{"a":1} ',
    '{ "a":1}',
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a":1.0}',
    '{"a":-0}',
    '{"a":1e400}',
    '{"a":"\\u0041"}',
    '{"a":"\\/"}',
    '{"a":"\\ud800"}',
    '\ufeff{}',
    '[]',
    'null',
    '"a"',
    '',
    '{',
  ]) {
    assert.throws(() => decodeEntry(Buffer.from(text)), { code: 'malformed' }, text);
  }
  assert.throws(() => decodeEntry(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), {
    code: 'malformed',
  });
});

test('an entry with __proto__ decodes to a member of that name', () => {
  const bytes = Buffer.from('{"__proto__":{"polluted":true}}');
  const entry = decodeEntry(bytes);
  assert.deepEqual(Object.keys(entry), ['__proto__']);
  assert.equal(Object.getPrototypeOf(entry), Object.prototype);
  assert.deepEqual(encodeEntry(entry), bytes);
});

test('arbitrary octets give an entry or a typed error', () => {
  const tokens = fc
    .array(fc.constantFrom('{', '}', '"a"', ':', ',', '1', '[', ']', 'null'))
    .map((all) => all.join(''));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        tokens.map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        try {
          assert.equal(Buffer.compare(encodeEntry(decodeEntry(bytes)), bytes), 0);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'too-large'), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.throws(() => decodeEntry(Buffer.alloc(65_000, '[')), { code: 'malformed' });
  const deep = `{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`;
  assert.throws(
    () => decodeEntry(Buffer.from(deep)),
    (error) => isSallyportError(error, 'malformed', 'too-large'),
  );
});
