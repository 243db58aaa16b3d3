import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { encodeEntry } from '#audit';
import { isSallyportError } from '#errors';
import { entryId } from './entry-id.ts';

suite('the id of an entry', () => {
  test('is read of whatever canonical JSON the entry is', () => {
    const member = fc
      .jsonValue({ stringUnit: 'grapheme' })
      .filter((value) => JSON.stringify(value).isWellFormed());
    const name = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(
        fc.dictionary(name, member),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (members, id) => {
          assert.equal(entryId(encodeEntry({ ...members, id })), id);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is not the id of a value inside, nor text that looks like one', () => {
    const entry = encodeEntry({
      a: { id: 'inner' },
      b: ['"id":"text"', { id: 'other' }],
      c: '\\',
      id: 'outer',
    });
    assert.equal(entryId(entry), 'outer');
  });

  for (const text of [
    '',
    '{}',
    '[]',
    '{"id":1}',
    '{"id":""}',
    '{"id":null}',
    '{"a":{"id":"x"}}',
    '{"id":"x',
    '{"id":"\\x"}',
  ]) {
    test(`of ${text || 'nothing'} is missing`, () => {
      assert.throws(
        () => entryId(Buffer.from(text)),
        (error) => isSallyportError(error, 'malformed'),
      );
    });
  }

  test('of arbitrary bytes is a string or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.string(), (bytes, text) => {
        for (const input of [bytes, Buffer.from(`{"id":${text}}`), Buffer.from(`{${text}`)]) {
          try {
            assert.equal(typeof entryId(input), 'string');
          } catch (error) {
            assert.ok(isSallyportError(error, 'malformed'));
          }
        }
      }),
    );
  });
});
