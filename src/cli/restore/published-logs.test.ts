import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, suite, test } from 'node:test';
import { formatCheckpoint, signNote, verifierKey } from '#audit';
import { generateSoftwareKey, type SoftwareKey } from '#keys';
import { newestOf, outsideNotes, publishedHeads } from './published-logs.ts';

const origin = 'ca.example.com/log';
const later = `${origin}/restored-20261122-abcdefgh`;

suite('checkpoints outside the database', () => {
  let key: SoftwareKey;
  let other: SoftwareKey;
  before(async () => {
    [key, other] = await Promise.all([generateSoftwareKey('ed25519'), generateSoftwareKey('ed25519')]);
  });

  const note = (of: string, size: number, by = key) =>
    signNote(formatCheckpoint({ origin: of, size, root: Buffer.alloc(32, size) }), { name: of, key: by });
  const keysOf = (of: string) => [verifierKey(of, other.spki), verifierKey(of, key.spki)];
  const published = async (...notes: Promise<string>[]) =>
    newestOf(
      publishedHeads(
        (await Promise.all(notes)).map((text, at) => ({ file: `file ${at}`, note: text })),
        origin,
        keysOf,
      ),
    );

  test('are the file and what restores kept beside it, and nothing that is still in the making', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-notes-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'checkpoint');
    assert.deepEqual(await outsideNotes(path.join(folder, 'nowhere', 'checkpoint')), []);
    const names = ['', '.log.12', '.log.9', '.new', '.restoring', '.restoring.new'];
    for (const name of names) await writeFile(`${file}${name}`, name);
    await writeFile(path.join(folder, 'events.ndjson'), '');
    assert.deepEqual(
      (await outsideNotes(file)).map((found) => found.note),
      ['', '.log.12', '.log.9'],
    );
  });

  test('say of each log of the authority how far it came, whichever key it had', async () => {
    const foreign = note('other.example/log', 99);
    const logs = await published(
      note(later, 3),
      note(origin, 7),
      note(origin, 9, other),
      note(origin, 8),
      foreign,
    );
    assert.deepEqual(
      [...logs.values()].map((log) => [log.origin, log.size]),
      [
        [later, 3],
        [origin, 9],
      ],
    );
  });

  test('that nobody signed are refused with the name of their file', async () => {
    const stranger = await generateSoftwareKey('ed25519');
    await assert.rejects(published(note(origin, 7), note(later, 3, stranger)), {
      code: 'log',
      message: /^the checkpoint in file 1 is refused/,
    });
  });
});
