import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { anyPorts, type AuthorityFiles, initAuthority, sallyportHere } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

const cleanup = suiteCleanup();

async function assertNotServed({ configuration }: AuthorityFiles, words: RegExp): Promise<void> {
  const { code, stdout, stderr } = await sallyportHere('serve', '--json', '--config', configuration);
  assert.deepEqual([code, stdout], [5, ''], stderr);
  assert.match(stderr, words);
}

/** systemd starts again whatever ends: under the name and key of the log that is gone, an empty one would be a fork, and its CRL would forget. */
test('keys and configuration without their database begin no log', async () => {
  const files = await initAuthority(cleanup, anyPorts);
  const [data, log] = ['data', 'log'].map((name) => path.join(files.directory, name)) as [string, string];
  for (const folder of [data, log]) {
    await rm(folder, { recursive: true });
    await mkdir(folder);
  }
  await assertNotServed(files, /there is no database/);
  assert.equal(existsSync(path.join(data, 'sallyport.db')), false);
  await writeFile(path.join(data, 'sallyport.db'), '');
  await assertNotServed(files, /holds no log/);
  assert.equal(existsSync(path.join(log, 'checkpoint')), false);
});
