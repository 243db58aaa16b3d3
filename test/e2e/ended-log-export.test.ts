import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { verifierKey } from '#audit';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyportHere,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { backUp, loseDatabase, nameLog, restored } from '../harness/restoring.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Whoever noted the key in the beginning, and keeps a mirror, before and after a restore. */
describe('log export and log verify --tiles after a restore', () => {
  const cleanup = suiteCleanup();
  let files: AuthorityFiles;
  let served: ServedAuthority;
  /** As it was noted in the beginning. */
  let noted: string;
  let ended: string;
  let endedSize: number;
  let begun: string;

  const beside = (name: string) => path.join(files.directory, '..', name);
  const serve = async () => {
    const next = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => next.stop());
    served = next;
  };
  const exported = (to: string, ...more: string[]) =>
    sallyportHere('log', 'export', '--to', beside(to), '--config', files.configuration, '--json', ...more);
  const exportWell = async (to: string, ...more: string[]) => {
    const { code, stdout, stderr } = await exported(to, ...more);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as { origin: string; size: number; earlier: number | null };
  };
  const verified = (from: string, ...more: string[]) =>
    sallyportHere('log', 'verify', '--tiles', beside(from), '--config', files.configuration, ...more);

  before(async () => {
    files = await initAuthority(cleanup, anyPorts);
    await serve();
    await TestDevice.enrolled(served, 'laptop-1');
    await exportPublished('mirror');
    const [first] = await entriesOf(served);
    noted = (first as unknown as { detail: { log: string } }).detail.log;
    await TestDevice.enrolled(served, 'laptop-2');
    const backup = await backUp(files, beside('backup.db'));
    await TestDevice.enrolled(served, 'laptop-3');
    await cp(beside('mirror'), beside('longer'), { recursive: true });
    await exportPublished('longer');
    await served.stop();
    await loseDatabase(files, null);
    const done = await restored(files, '--from', backup);
    [ended, endedSize, begun] = [done.backup.origin, done.backup.size, done.origin];
    await nameLog(files, begun);
    await serve();
    await TestDevice.enrolled(served, 'laptop-4');
  });

  /** All that there is when it is asked for: the checkpoint is half a second behind. */
  async function exportPublished(to: string): Promise<void> {
    const { size } = await served.admin.client.perform('listEntries', { limit: 1 });
    for (let tries = 0; tries < 100; tries += 1) {
      if ((await exportWell(to)).size >= size) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('no checkpoint came');
  }

  test('follow the key that was noted before it, and say which log they speak of', async () => {
    const { origin } = await exportWell('next', '--log-key', noted);
    assert.equal(origin, begun);
    const { code, stdout, stderr } = await verified('next', '--log-key', noted);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(begun) && stdout.includes(`${ended}: another log of this authority`), stdout);
    assert.doesNotMatch((await verified('next')).stdout, /another log/);
  });

  test('export the log that ended, to its last entry, and verify it with either name of the key', async () => {
    const first = await exportWell('whole', '--ended', ended, '--with-personal');
    assert.deepEqual(first, { ...first, origin: ended, size: endedSize, earlier: null });
    for (const key of [[], ['--log-key', noted]]) {
      const { code, stdout, stderr } = await verified('whole', '--json', ...key);
      assert.equal(code, 0, stderr);
      const { origin, size, documents } = JSON.parse(stdout) as {
        origin: string;
        size: number;
        documents: { there: number; absent: number };
      };
      assert.deepEqual([origin, size, documents.absent], [ended, endedSize, 0]);
      assert.ok(documents.there > 0);
    }
    assert.match((await verified('whole')).stdout, /restored-\S+: another log of this authority/);
  });

  test('go on with a mirror of it, and refuse one that has more than the backup', async () => {
    const refused = await exported('mirror');
    assert.deepEqual([refused.code, refused.stderr.includes(`--ended ${ended} goes on`)], [1, true]);
    const { size, earlier } = await exportWell('mirror', '--ended', ended);
    assert.ok(earlier !== null && earlier < size && size === endedSize);
    assert.equal((await verified('mirror')).code, 0);
    const checkpoint = await readFile(path.join(beside('longer'), 'checkpoint'), 'utf8');
    const longer = await exported('longer', '--ended', ended);
    assert.deepEqual([longer.code, /the folder has more than is here/.test(longer.stderr)], [1, true]);
    assert.equal(await readFile(path.join(beside('longer'), 'checkpoint'), 'utf8'), checkpoint);
    assert.equal((await verified('longer')).code, 0, 'what was copied before verifies as ever');
  });

  test('know no other log, and no other key', async () => {
    const none = await exported('none', '--ended', begun);
    assert.deepEqual(
      [none.code, none.stderr.includes(`those that did are ${ended}`)],
      [1, true],
      none.stderr,
    );
    const { publicKey } = generateKeyPairSync('ed25519');
    const other = verifierKey(ended, publicKey.export({ type: 'spki', format: 'der' }));
    for (const more of [['--ended', ended], []]) {
      assert.equal((await exported('none', '--log-key', other, ...more)).code, 5);
    }
    assert.equal((await verified('whole', '--log-key', other)).code, 5);
    const { client } = served.admin;
    for (const strange of [
      'earlier/1/checkpoint',
      'earlier/00/checkpoint',
      'earlier/0/',
      'earlier/0/tile/0/001',
    ]) {
      assert.equal(await client.logDocument(strange), null, strange);
    }
  });
});
