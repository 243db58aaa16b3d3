import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { blobOf } from './blob.ts';
import {
  documentBundlePath,
  formatDocumentBundle,
  parseDocumentBundle,
  parseDocumentBundlePath,
} from './document-bundle.ts';

const malformed = (error: unknown) => isSallyportError(error, 'malformed');

test('documents come back as they were, with their address', () => {
  const document = fc.record({
    index: fc.nat(),
    salt: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    text: fc.string({ unit: 'grapheme' }),
  });
  fc.assert(
    fc.property(fc.array(document, { maxLength: 5 }), (rows) => {
      const documents = rows.map(({ index, salt, text }) => ({ index, ...blobOf(salt, Buffer.from(text)) }));
      const plain = (all: readonly (typeof documents)[number][]) =>
        all.map(({ index, ...blob }) => [
          index,
          ...Object.values(blob).map((part) => Buffer.from(part).toString('hex')),
        ]);
      const parsed = parseDocumentBundle(formatDocumentBundle(documents)).map(
        ({ index, address, salt, bytes }) => ({
          index,
          address,
          salt,
          bytes,
        }),
      );
      assert.deepEqual(plain(parsed), plain(documents));
    }),
  );
});

test('arbitrary bytes are documents or a typed error', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .array(fc.record({ index: fc.anything(), salt: fc.anything(), document: fc.anything() }), {
        maxLength: 3,
      })
      .map((rows) =>
        Buffer.from(JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? 1 : value))),
      ),
  );
  fc.assert(
    fc.property(bytes, (some) => {
      try {
        parseDocumentBundle(some);
      } catch (error) {
        assert.ok(malformed(error), String(error));
      }
    }),
  );
  const row = { index: 1, salt: '00'.repeat(16), document: 'x' };
  for (const wrong of [
    { ...row, salt: '00' },
    { ...row, index: 0.5 },
    { ...row, document: 'x'.repeat(65_536) },
    null,
  ]) {
    assert.throws(() => parseDocumentBundle(Buffer.from(JSON.stringify([wrong]))), malformed);
  }
});

test('a path is of one bundle, whole', () => {
  assert.equal(documentBundlePath(1_067), 'personal/x001/067');
  assert.equal(parseDocumentBundlePath('personal/x001/067'), 1_067);
  assert.equal(parseDocumentBundlePath('tile/entries/000'), null);
  for (const path of ['personal/000.p/12', 'personal/0', 'personal/', 'personal/../000']) {
    assert.throws(() => parseDocumentBundlePath(path), malformed);
  }
});
