import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorityDocuments } from './public-documents.ts';
import { checkpointPath } from './public-paths.ts';

test('a public document is read once for all who ask at once, and anew when it has changed', async () => {
  let readings = 0;
  const documents = authorityDocuments(
    new Map(),
    { crl: async () => null },
    { note: async () => `note ${(readings += 1)}` },
  );
  const text = async () => String((await documents.read(checkpointPath))?.body);
  const asked = await Promise.all(Array.from({ length: 100 }, text));
  assert.deepEqual([...new Set(asked)], ['note 1']);
  documents.changed(checkpointPath);
  assert.equal(await text(), 'note 2');
  assert.equal(await documents.read('/crl/__proto__.crl'), null);
});
