import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  type AuthorityFiles,
  anyPorts,
  command,
  initAuthority,
  serveAuthority,
  withSharedAnchor,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Who can write in the anchor's folder can stop signing, and nothing else: the folder lies on storage of others. */
describe('an anchor in the hands of somebody else', () => {
  const cleanup = suiteCleanup();
  let files: AuthorityFiles;
  let anchor: string;
  beforeEach(async () => {
    files = await initAuthority(cleanup, (yaml) => withSharedAnchor(anyPorts(yaml)));
    anchor = path.join(files.directory, '../shared');
    await mkdir(anchor);
    await copyFile(path.join(files.directory, 'log/checkpoint'), path.join(anchor, 'authority.checkpoint'));
  });

  /** `code` is null where it had not ended after twenty seconds. */
  async function refusal(): Promise<{ code: number | null; stderr: string }> {
    const served = spawn(command, ['serve', '--json', '--config', files.configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    served.stderr.on('data', (data: Buffer) => (stderr += data.toString('utf8')));
    const timer = setTimeout(() => served.kill('SIGKILL'), 20_000);
    const [code] = (await once(served, 'exit')) as [number | null];
    clearTimeout(timer);
    return { code, stderr };
  }

  test('does not have a file of the authority written over, by a link of the name that is written first', async () => {
    const settings = files.configuration;
    const before = await readFile(settings, 'utf8');
    await symlink(settings, path.join(anchor, 'authority.checkpoint.new'));
    const served = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => served.stop('SIGKILL'));
    await TestDevice.enrolled(served, 'laptop-1');
    await served.stop();
    assert.equal(await readFile(settings, 'utf8'), before);
  });

  test('does not keep a start waiting for ever, by a pipe that nobody writes to', async () => {
    await promisify(execFile)('mkfifo', [path.join(anchor, 'other.checkpoint')]);
    const { code, stderr } = await refusal();
    assert.equal(code, 4, stderr);
    assert.match(stderr, /the anchor .*shared cannot be read/);
  });

  test('does not fill the memory, by a file without end', async () => {
    const huge = path.join(anchor, 'other.checkpoint');
    await writeFile(huge, '');
    await truncate(huge, 400 * 1024 * 1024);
    const { code, stderr } = await refusal();
    assert.equal(code, 4, stderr);
    assert.match(stderr, /the anchor .*shared cannot be read/);
  });
});
