import assert from 'node:assert/strict';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSallyportError } from '#errors';
import { temporaryFolder } from './certificates.fixture.ts';
import { saveOnce } from './save-once.ts';

const bytes = Buffer.from('a root');

test('a new file that everybody can read, whatever the umask', async (t) => {
  const file = join(await temporaryFolder(t), 'root.pem');
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  await saveOnce(file, bytes);
  assert.deepEqual(await readFile(file), bytes);
  assert.equal((await stat(file)).mode & 0o777, 0o644);
  await saveOnce(file, bytes);
});

test('what holds something else is left as it is', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'root.pem');
  const conflict = (error: unknown) => isSallyportError(error, 'conflict') && error.message.includes(file);
  for (const other of ['another', 'a rooT', '']) {
    await writeFile(file, other);
    await assert.rejects(saveOnce(file, bytes), conflict);
    assert.equal(await readFile(file, 'utf8'), other);
  }
  await mkdir(join(folder, 'folder'));
  await symlink(join(folder, 'nowhere'), join(folder, 'link'));
  for (const name of ['folder', 'link']) {
    await assert.rejects(saveOnce(join(folder, name), bytes), (error) => isSallyportError(error, 'conflict'));
  }
});

test('a folder that is not there is a wrong argument', async (t) => {
  const file = join(await temporaryFolder(t), 'none/root.pem');
  await assert.rejects(
    saveOnce(file, bytes),
    (error) => isSallyportError(error, 'usage') && /cannot be written \(ENOENT\)/.test(error.message),
  );
});
