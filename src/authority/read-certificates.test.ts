import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isSallyportError } from '#errors';
import { readTrustedCas } from './read-certificates.ts';

test('a file of trusted CAs that holds none is refused: TLS would take it for those that Node.js trusts', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-cas-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const text of ['', '\n', '# to be filled in\n']) {
    const file = path.join(folder, 'ca.pem');
    await writeFile(file, text);
    await assert.rejects(readTrustedCas(file), (error) => isSallyportError(error, 'config'));
  }
});
