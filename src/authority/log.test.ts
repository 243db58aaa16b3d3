import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { parseVerifierKey, publishCheckpoint, verifierKey } from '#audit';
import type { Configuration } from '#config';
import { generateSoftwareKey } from '#keys';
import { createSqlite } from '#storage';
import { eventEntry } from './event-entry.ts';
import { openLog } from './log.ts';

const origin = 'test.example/log';

async function openWorld(t: TestContext, { anchored = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-log-'));
  const storage = await createSqlite({ file: join(folder, 'sallyport.db'), origin });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  const key = await generateSoftwareKey('ed25519');
  const anchorFolder = anchored ? join(folder, 'anchor') : null;
  if (anchorFolder !== null) await mkdir(anchorFolder);
  const checkpointFile = join(folder, 'checkpoint');
  const configuration = {
    database: { kind: 'sqlite' },
    log: { checkpointFile, anchorFolder },
  } as Configuration;
  const vkey = verifierKey(origin, key.spki);
  const begin = (log: string) =>
    storage.enrollment.record(eventEntry('created', { log }, 7, (n) => new Uint8Array(n)));
  const publishTo = (file: string) =>
    publishCheckpoint(null, {
      log: storage.log,
      file: { read: async () => null, write: (note) => writeFile(file, note) },
      anchor: null,
      signer: { name: origin, key },
      verifier: parseVerifierKey(vkey),
    });
  const clocks = { wall: () => 0, monotonic: () => 0, jumped: () => undefined };
  const open = () => openLog(configuration, storage, { verifierKey: vkey }, clocks);
  return { vkey, begin, publishTo, open, checkpointFile, anchorFile: `${anchorFolder}/node-2.checkpoint` };
}

suite('a log is opened', () => {
  test('that began under this key, and was published', async (t) => {
    const { vkey, begin, publishTo, open, checkpointFile } = await openWorld(t);
    await begin(vkey);
    await assert.rejects(open(), { code: 'log', message: /is missing: put it back/ });
    await publishTo(checkpointFile);
    const { clock, published } = await open();
    assert.equal(published?.size, 1);
    assert.equal(clock.now(), 7);
  });

  test('not while it is empty, nor where it began under another key', async (t) => {
    const { begin, publishTo, open, checkpointFile } = await openWorld(t);
    await publishTo(checkpointFile);
    await assert.rejects(open(), { code: 'log', message: /does not begin with the authority's creation/ });
    const other = await generateSoftwareKey('ed25519');
    await begin(verifierKey(origin, other.spki));
    await publishTo(checkpointFile);
    await assert.rejects(open(), { code: 'log', message: /began under another key/ });
  });

  test('by what another node anchored, where this one has no file of its own yet', async (t) => {
    const { vkey, begin, publishTo, open, checkpointFile, anchorFile } = await openWorld(t, {
      anchored: true,
    });
    await begin(vkey);
    await publishTo(checkpointFile);
    await assert.rejects(open(), { code: 'store', message: /holds no checkpoint/ });
    await publishTo(anchorFile);
    await rm(checkpointFile);
    assert.equal((await open()).published, null);
  });
});
