import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyportHere,
  serveAuthority,
  type ServedAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { backUp, loseDatabase, nameLog, restored } from '../harness/restoring.ts';
import { TestDevice } from '../harness/test-device.ts';

describe('a backup from before an erasure', () => {
  const cleanup = suiteCleanup();
  const id = 'ida-whose-laptop';
  let files: AuthorityFiles;
  let served: ServedAuthority;

  before(async () => {
    files = await initAuthority(cleanup, anyPorts);
    served = await serveAuthority(files);
    await TestDevice.enrolled(served, id);
    await TestDevice.enrolled(served, 'eva-laptop');
    await served.admin.client.perform('retireDevice', { id });
    const backup = await backUp(files, path.join(files.directory, '../backup.db'));
    await served.admin.client.perform('eraseDevice', { id });
    await served.stop();
    await loseDatabase(files, null);
    const siem = path.join(files.directory, 'log/events.ndjson');
    const { origin, erasedSince } = (await restored(
      files,
      '--from',
      backup,
      '--siem-export',
      siem,
    )) as Awaited<ReturnType<typeof restored>> & { erasedSince: number };
    assert.ok(erasedSince >= 4);
    await nameLog(files, origin);
    served = await serveAuthority(files);
    cleanup.after(() => served.stop());
  });

  async function verify() {
    const words = ['log', 'verify', '--json', '--config', files.configuration];
    const { code, stdout, stderr } = await sallyportHere(...words);
    assert.equal(code, 0, stdout + stderr);
    return JSON.parse(stdout) as { erased: number; erasedAndBack: number };
  }

  test('brings what was erased back, which the log says, and with it whole entries of the log that ended', async () => {
    const { erased, erasedAndBack } = await verify();
    assert.deepEqual([erased, erasedAndBack >= 4], [0, true]);
    const { stdout } = await sallyportHere('log', 'verify', '--config', files.configuration);
    assert.match(
      stdout,
      /^brought back +\d+ entries that were erased after the backup: erase their devices again$/m,
    );
    assert.equal((await served.admin.client.perform('showDevice', { id })).device.state, 'retired');
  });

  test('is erased again from both logs, by an act in the new one', async () => {
    const { erasedAndBack } = await verify();
    const { entries } = await served.admin.client.perform('eraseDevice', { id });
    assert.equal(entries, erasedAndBack);
    assert.deepEqual(await verify().then(({ erased, erasedAndBack: back }) => [erased, back]), [entries, 0]);
    const act = (await entriesOf(served)).at(-1)!['detail'] as { erased: { log: string }[] };
    assert.deepEqual(
      act.erased.map(({ log }) => log),
      ['sallyport/log'],
    );
  });

  test('and what is backed up now has nothing of it, and is restored as it is', async () => {
    const backup = await backUp(files, path.join(files.directory, '../after.db'));
    await served.stop();
    await loseDatabase(files, null);
    const { origin } = await restored(files, '--from', backup);
    await nameLog(files, origin);
    assert.ok((await verify()).erased >= 4);
    served = await serveAuthority(files);
    await assert.rejects(served.admin.client.perform('showDevice', { id }), /there is no device/);
  });
});
