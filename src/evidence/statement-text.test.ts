import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { statementText } from './statement-text.ts';

test('text of a statement is what its octets say, a byte order mark included', () => {
  for (const text of ['SN-1', 'é€語\u{1f512}', '\ufeffSN-1', 'x'.repeat(256)]) {
    assert.equal(statementText(Buffer.from(text), 'serial'), text);
  }
});

test('text of a statement: control characters, no UTF-8, nothing or too much are refused', () => {
  for (const octets of ['', '\0', 'SN\n', '\u0085', Uint8Array.of(0x80), Uint8Array.of(0xc0, 0x80)]) {
    assert.throws(
      () => statementText(Buffer.from(octets), 'serial'),
      (error) => isSallyportError(error, 'malformed'),
    );
  }
  assert.throws(
    () => statementText(Buffer.from('x'.repeat(257)), 'serial'),
    (error) => isSallyportError(error, 'too-large'),
  );
});

test('text of a statement: arbitrary octets give it back, or a SallyportError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      try {
        assert.deepEqual(Buffer.from(statementText(octets, 'serial')), Buffer.from(octets));
      } catch (error) {
        assert.ok(isSallyportError(error, 'malformed', 'too-large'), String(error));
      }
    }),
  );
});
