import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, printableJson } from './printable.ts';

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\u001B', '\u009B', '\n', '\u202E', '\u2066', '\u0000'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});

test('nothing that comes from outside moves the cursor or turns the text', () => {
  assert.equal(printable('a\u001B[31mb\u202Ec\nd'), 'a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d');
  fc.assert(
    fc.property(hostile, (text) => assert.doesNotMatch(printable(text), /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u)),
  );
});

test('JSON keeps its meaning, and is one line without control characters', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const json = printableJson({ text });
      assert.equal((JSON.parse(json) as { text: string }).text, text);
      assert.doesNotMatch(json, /[\p{Cc}\u2028-\u202E\u2066-\u2069]/u);
    }),
  );
});
