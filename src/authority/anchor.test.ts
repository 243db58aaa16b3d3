import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import type { Configuration } from '#config';
import { exchangeAnchor, notesInAnchor, prepareAnchor } from './anchor.ts';

const noteOf = (origin: string, size: number) => `${origin}\n${size}\nroot\n\n— signature\n`;
const ended = (size: number) => noteOf('ca.example/log', size);
const begun = noteOf('ca.example/log/restored-20261122-abcdefgh', 3);

async function openFolder(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-anchor-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, note] of Object.entries(files)) await writeFile(join(folder, name), note);
  const configuration = {
    database: { kind: 'postgres', node: 'node-1' },
    log: { anchorFolder: folder },
  } as Configuration;
  const state = async () =>
    Object.fromEntries(
      await Promise.all(
        (await readdir(folder)).map(
          async (name) => [name, await readFile(join(folder, name), 'utf8')] as const,
        ),
      ),
    );
  return { folder, configuration, state };
}

suite('the anchor, for who restores', () => {
  test('has what the nodes keep and what earlier restores kept, and nothing that is in the making', async (t) => {
    const { folder, configuration } = await openFolder(t, {
      'node-1.checkpoint': ended(5),
      'node-2.checkpoint': ended(6),
      'node-2.checkpoint.ca.example_log.4': ended(4),
      'node-1.checkpoint.new': ended(7),
      'node-1.checkpoint.restoring': begun,
      README: 'of the storage',
    });
    assert.deepEqual(
      (await notesInAnchor(configuration)).map(({ file, note }) => [file, note]),
      [
        [join(folder, 'node-1.checkpoint'), ended(5)],
        [join(folder, 'node-2.checkpoint'), ended(6)],
        [join(folder, 'node-2.checkpoint.ca.example_log.4'), ended(4)],
      ],
    );
  });

  test('is refused where it is empty or away: what it should say would not be heeded', async (t) => {
    const { folder, configuration } = await openFolder(t, { 'node-1.checkpoint.restoring': begun });
    await assert.rejects(notesInAnchor(configuration), { code: 'store', message: /holds no checkpoint/ });
    await rm(folder, { recursive: true });
    await assert.rejects(notesInAnchor(configuration), { code: 'store', message: /cannot be read/ });
    await assert.rejects(prepareAnchor(configuration, begun), {
      code: 'store',
      message: /cannot be written/,
    });
    const none = { ...configuration, log: { ...configuration.log, anchorFolder: null } };
    assert.deepEqual(await notesInAnchor(none), []);
    await prepareAnchor(none, begun);
    assert.deepEqual(await exchangeAnchor(none, begun), []);
  });

  test('gets the new log, and keeps those that ended beside it under their names', async (t) => {
    const foreign = noteOf('other.example/log', 9);
    const { folder, configuration, state } = await openFolder(t, {
      'node-1.checkpoint': ended(5),
      'node-2.checkpoint': ended(6),
      'node-3.checkpoint': foreign,
    });
    await prepareAnchor(configuration, begun);
    const kept = await exchangeAnchor(configuration, begun);
    assert.deepEqual(kept, [
      join(folder, 'node-1.checkpoint.ca.example_log.5'),
      join(folder, 'node-2.checkpoint.ca.example_log.6'),
    ]);
    const after = {
      'node-1.checkpoint': begun,
      'node-1.checkpoint.ca.example_log.5': ended(5),
      'node-2.checkpoint.ca.example_log.6': ended(6),
      'node-3.checkpoint': foreign,
    };
    assert.deepEqual(await state(), after);
    assert.deepEqual(await exchangeAnchor(configuration, begun), [], 'done again it changes nothing');
    assert.deepEqual(await state(), after);
  });

  test('is gone on with wherever the exchange ended, and a newer note of the new log stays', async (t) => {
    const half = await openFolder(t, {
      'node-1.checkpoint': ended(5),
      'node-1.checkpoint.ca.example_log.5': ended(5),
      'node-1.checkpoint.restoring': begun,
      'node-2.checkpoint': begun,
    });
    await exchangeAnchor(half.configuration, begun);
    assert.deepEqual(await half.state(), {
      'node-1.checkpoint': begun,
      'node-1.checkpoint.ca.example_log.5': ended(5),
      'node-2.checkpoint': begun,
    });
    const newer = begun.replace('\n3\n', '\n8\n');
    const served = await openFolder(t, { 'node-1.checkpoint': newer, 'node-2.checkpoint': ended(6) });
    await exchangeAnchor(served.configuration, begun);
    assert.equal((await served.state())['node-1.checkpoint'], newer);
    const lost = await openFolder(t, {});
    await mkdir(join(lost.folder, 'node-1.checkpoint'));
    await assert.rejects(exchangeAnchor(lost.configuration, begun), { code: 'store' });
  });
});
