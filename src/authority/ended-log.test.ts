import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { CompactRange, formatCheckpoint, type LogReader, type LogStore, signNote, verifierKey } from '#audit';
import { generateSoftwareKey, type SoftwareKey } from '#keys';
import { createSqlite, openSqlite, restoreCopy, type Storage } from '#storage';
import { leaveEndedLog } from './ended-log.ts';
import { eventEntry } from './event-entry.ts';

const first = 'test.example/log';
const second = `${first}/restored-20261122-abcdefgh`;
const third = `${first}/restored-20261123-abcdefgh`;
const random = (n: number) => new Uint8Array(n);

interface Copy {
  readonly database: string;
  readonly of: string;
}

interface World {
  readonly file: string;
  storage: Storage;
  readonly noteOf: (size?: number) => Promise<string>;
  readonly grow: (entries: number) => Promise<void>;
  /** Ends the log where it is, or where `copy` is; the new one knows of these notes. */
  readonly restore: (origin: string, outside: readonly string[], copy?: Copy) => Promise<void>;
  readonly copy: () => Promise<Copy>;
  readonly leave: (note: string, anchored?: readonly string[], log?: LogStore) => Promise<void>;
}

async function openWorld(t: TestContext, key: SoftwareKey): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-ended-'));
  const database = join(folder, 'sallyport.db');
  const file = join(folder, 'checkpoint');
  let origin = first;
  let copies = 0;
  const roots = new Map<string, string>();
  const sign = async (size: number, root: Uint8Array, of = origin) =>
    signNote(formatCheckpoint({ origin: of, size, root }), { name: of, key });
  const world: World = {
    file,
    storage: await createSqlite({ file: database, origin }),
    noteOf: async (size) => {
      const head = await world.storage.log.head();
      if (size === undefined) return sign(head.size, CompactRange.restore(head.size, head.range).root());
      return roots.get(`${origin} ${size}`)!;
    },
    async grow(entries) {
      for (let at = 0; at < entries; at += 1) {
        await world.storage.enrollment.record(eventEntry('test', { at, origin }, 7, random));
        const { size } = await world.storage.log.head();
        roots.set(`${origin} ${size}`, await world.noteOf());
      }
    },
    async copy() {
      await world.storage.close();
      const to = join(folder, `copy-${(copies += 1)}.db`);
      await copyFile(database, to);
      world.storage = await openSqlite({ file: database, origin });
      return { database: to, of: origin };
    },
    async restore(next, outside, copy) {
      const { database: from, of } = copy ?? (await world.copy());
      await world.storage.close();
      const ended = await openSqlite({ file: from, origin: of });
      const { size, range } = await ended.log.head();
      await ended.close();
      const root = CompactRange.restore(size, range).root();
      const note = await sign(size, root, of);
      const previous = {
        origin: of,
        log: verifierKey(of, key.spki),
        size,
        root: Buffer.from(root).toString('base64'),
        checkpoint: note,
      };
      origin = next;
      const named = outside.map((text) => {
        const [name, entries, hash] = text.split('\n');
        return { origin: name, size: Number(entries), root: hash };
      });
      await restoreCopy(
        from,
        {
          origin: next,
          note,
          now: 8,
          afterwards: { lost: [], revoked: [], stopped: [], crlNumbers: [] },
          detail: { log: verifierKey(next, key.spki), previous, outside: named },
          more: [],
          entryOf: (event, detail) => eventEntry(event, detail, 8, random),
        },
        (head) => sign(head.size, head.root),
      );
      for (const end of ['-wal', '-shm']) await rm(`${database}${end}`, { force: true });
      await copyFile(from, database);
      world.storage = await openSqlite({ file: database, origin });
    },
    async leave(note, anchored = [], log = world.storage.log) {
      await writeFile(file, note);
      await leaveEndedLog(log, file, anchored, verifierKey(origin, key.spki));
    },
  };
  t.after(async () => {
    await world.storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  await world.storage.enrollment.record(
    eventEntry('created', { log: verifierKey(first, key.spki) }, 7, random),
  );
  await world.grow(9);
  return world;
}

suite('the checkpoint file of a node that has not served since a restore', () => {
  const refused = (words: RegExp) => ({ code: 'log', message: words });
  const held = async ({ file }: World) => (await readFile(file, 'utf8')).split('\n')[0];

  test('gives way where it is of the beginning of the log that ended, and is kept beside', async (t) => {
    const world = await openWorld(t, await generateSoftwareKey('ed25519'));
    const notes = await Promise.all([4, 10].map((size) => world.noteOf(size)));
    await world.restore(second, []);
    for (const note of notes) {
      await world.leave(note);
      assert.equal(await held(world), second);
    }
    const kept = (await readdir(join(world.file, '..'))).filter((name) => name.startsWith('checkpoint.'));
    assert.deepEqual(kept, ['checkpoint.test.example_log.10', 'checkpoint.test.example_log.4']);
    await world.leave(await world.noteOf());
    await world.leave(await world.noteOf(), [await world.noteOf()]);
  });

  test('where it says more than the backup, only if the restore knew of that very head', async (t) => {
    const world = await openWorld(t, await generateSoftwareKey('ed25519'));
    const backup = await world.copy();
    await world.grow(3);
    const [known, between, newest] = await Promise.all([11, 12, 13].map((size) => world.noteOf(size)));
    await world.restore(second, [known!, newest!], backup);
    await world.leave(known!);
    await world.leave(newest!, [await world.noteOf()]);
    assert.equal(await held(world), second);
    await assert.rejects(
      world.leave(between!),
      refused(
        /is of a log that a restore ended, test\.example\/log, .* of 12 entries, of which the restore did not know\. Restore again/,
      ),
    );
    assert.equal(await held(world), first, 'nothing was changed');
  });

  test('of the log before the last but one, and of one that is not here at all', async (t) => {
    const world = await openWorld(t, await generateSoftwareKey('ed25519'));
    const old = await world.noteOf(10);
    await world.restore(second, []);
    await world.grow(3);
    const later = await world.noteOf(4);
    await world.restore(third, []);
    for (const note of [old, later]) {
      await world.leave(note);
      assert.equal(await held(world), third);
    }
    // The same backup again: the second log is known by name alone.
    const other = await openWorld(t, await generateSoftwareKey('ed25519'));
    const beginning = await other.copy();
    await other.restore(second, []);
    await other.grow(2);
    const lost = await other.noteOf(3);
    const never = await other.noteOf(2);
    await other.restore(third, [lost], beginning);
    await assert.rejects(other.leave(never), refused(/of 2 entries, of which the restore did not know/));
    await other.leave(lost);
    assert.equal(await held(other), third);
  });

  test('is refused where its signature, its root or its name is another', async (t) => {
    const key = await generateSoftwareKey('ed25519');
    const world = await openWorld(t, key);
    const note = await world.noteOf(4);
    await world.restore(second, []);
    const stranger = await generateSoftwareKey('ed25519');
    const text = (origin: string, size: number) =>
      formatCheckpoint({ origin, size, root: Buffer.alloc(32, 1) });
    const unsigned = await signNote(note.slice(0, note.indexOf('\n\n') + 1), { name: first, key: stranger });
    await assert.rejects(world.leave(unsigned), refused(/does not account for it/));
    const forked = await signNote(text(first, 4), { name: first, key });
    await assert.rejects(world.leave(forked), refused(/not consistent/));
    const never = await signNote(text(third, 4), { name: third, key });
    await assert.rejects(world.leave(never), refused(/no restore names that log/));
    // Of another authority: whoever compares it with this log refuses it.
    const foreign = await signNote(text('other.example/log', 4), { name: 'other.example/log', key });
    await world.leave(foreign);
    assert.equal(await held(world), 'other.example/log');
  });

  test('is refused for a log that the key did not sign, and for a first entry that is not in its tree', async (t) => {
    const world = await openWorld(t, await generateSoftwareKey('ed25519'));
    const note = await world.noteOf(4);
    await world.restore(second, []);
    const { log } = world.storage;
    const stranger = await generateSoftwareKey('ed25519');
    const { size, range } = await log.head();
    const root = CompactRange.restore(size, range).root();
    const forged = await signNote(formatCheckpoint({ origin: second, size, root }), {
      name: second,
      key: stranger,
    });
    const unsigned: LogStore = { ...log, note: async () => forged };
    await assert.rejects(world.leave(note, [], unsigned), refused(/does not account for it/));
    const entries: LogReader['entries'] = async (from, to) =>
      (await log.entries(from, to)).map(({ index, bytes }) => ({
        index,
        bytes: Buffer.from(Buffer.from(bytes).toString().replace('"size":10', '"size":11')),
      }));
    await assert.rejects(world.leave(note, [], { ...log, entries }), refused(/entry 0 is not in the tree/));
    assert.equal(await held(world), first);
  });
});
