import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import { readOperatorToken } from './operator-token.ts';

async function folderWith(t: TestContext, ...names: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-token-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'operators'));
  for (const name of names) await writeFile(join(folder, name), `token of ${name}\n`, { mode: 0o600 });
  return folder;
}

const read = (folder: string, named?: string, environment = {}) =>
  readOperatorToken({ named, environment, folder, configurationFolder: folder });

test('the only token beside the configuration is taken', async (t) => {
  const folder = await folderWith(t, 'operators/ada.token', 'operators/notes.txt');
  assert.equal(await read(folder), 'token of operators/ada.token');
});

test('of several, none is taken by guess', async (t) => {
  const folder = await folderWith(t, 'operators/ada.token', 'operators/grace.token');
  await assert.rejects(
    read(folder),
    (error) => isSallyportError(error, 'usage') && /--operator-token/.test(error.message),
  );
});

test('without any, the words say what to give', async (t) => {
  await assert.rejects(read(await folderWith(t)), (error) => isSallyportError(error, 'usage'));
});

test('the option goes before the environment, and that before the folder', async (t) => {
  const folder = await folderWith(t, 'operators/ada.token', 'grace.token', 'mary.token');
  const environment = { SALLYPORT_OPERATOR_TOKEN_FILE: 'grace.token' };
  assert.equal(await read(folder, undefined, environment), 'token of grace.token');
  assert.equal(await read(folder, 'mary.token', environment), 'token of mary.token');
});
