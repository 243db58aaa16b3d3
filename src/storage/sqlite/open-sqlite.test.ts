import assert from 'node:assert/strict';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { isSallyportError } from '#errors';
import { createSqlite, openSqlite, openSqliteReadOnly, type Storage } from '#storage';
import { migrations } from '../migration.ts';
import { Connection } from './connection.ts';
import { upgrade } from './upgrade.ts';
import {
  createSecret,
  device,
  digest,
  entry,
  importDevices,
  intent,
  newSecret,
  now,
  origin,
  temporaryFile,
  verifiedIds,
  wide,
} from '../storage.fixture.ts';

async function open(t: TestContext, file = temporaryFile(t)): Promise<Storage> {
  const storage = await (existsSync(file) ? openSqlite : createSqlite)({ file, origin });
  t.after(() => storage.close());
  return storage;
}

suite('a database served', () => {
  test('keeps what was asked of it when it is opened again', async (t) => {
    const file = temporaryFile(t);
    const first = await createSqlite({ file, origin });
    await importDevices(first.admin, device('d1'));
    await first.enrollment.record(entry('e1'));
    await first.close();
    const again = await open(t, file);
    assert.equal((await again.admin.device('d1'))?.id, 'd1');
    assert.deepEqual(await verifiedIds(again.log), ['import', 'e1']);
  });

  test('commits what is asked at once together', async (t) => {
    const { enrollment, log, stats } = await open(t);
    const before = (await stats()).commits;
    const positions = await Promise.all(
      Array.from({ length: 200 }, (_, i) => enrollment.record(entry(`e${i}`))),
    );
    assert.deepEqual(
      positions.map(({ index }) => index),
      positions.map((_, i) => i),
    );
    const { commits } = await stats();
    assert.ok(commits - before <= 20, `${commits - before} commits for 200 operations`);
    assert.equal((await verifiedIds(log)).length, 200);
  });

  test('gives one secret to one of 50 that reserve it at once', async (t) => {
    const { admin, enrollment } = await open(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        enrollment.reserve(intent(`i${i}`, 'd1', { secret: { id: 's1', state: 'live' } })),
      ),
    );
    assert.equal(answers.filter((answer) => answer === 'reserved').length, 1);
  });

  test('gives a device one of 50 first keys that are reserved at once', async (t) => {
    const { admin, enrollment } = await open(t);
    await importDevices(admin, device('d1'));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        enrollment.reserve(intent(`i${i}`, 'd1', { fresh: true, spki: digest(`key ${i}`) })),
      ),
    );
    assert.equal(answers.filter((answer) => answer === 'reserved').length, 1);
  });

  test('takes Buffers of any pool and gives bytes back', async (t) => {
    const { admin } = await open(t);
    await admin.saveReferences('d', Buffer.from('small, so of the pool'));
    const body = await admin.references('d');
    assert.equal(Buffer.from(body ?? []).toString(), 'small, so of the pool');
    assert.ok(body instanceof Uint8Array);
  });

  test('answers an argument that no thread can be sent with an error, and goes on', async (t) => {
    const { admin } = await open(t);
    await assert.rejects(admin.device((() => 'd1') as never), (error) => isSallyportError(error, 'internal'));
    assert.equal(await admin.device('d1'), null);
  });
});

suite('a database served twice by mistake', () => {
  test('keeps one log: whoever appends reads the head first', async (t) => {
    const file = temporaryFile(t);
    const stores = [await open(t, file), await open(t, file)];
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => stores[i % 2]?.enrollment.record(entry(`e${i}`))),
    );
    for (const { log } of stores) assert.equal((await verifiedIds(log)).length, 60);
  });
});

suite('admissions', () => {
  test('answer before they are synced, and are synced by closing', async (t) => {
    const file = temporaryFile(t);
    const first = await createSqlite({ file, origin });
    const { commits } = await first.stats();
    const admission = { sourceKey: 'a', limit: wide, now };
    assert.deepEqual(await first.enrollment.admit(admission), { tat: null });
    assert.equal((await first.stats()).commits, commits);
    await first.close();
    const again = await open(t, file);
    assert.notEqual((await again.enrollment.admit(admission)).tat, null);
  });

  test('are synced soon when nothing else is', async (t) => {
    const { enrollment, stats } = await open(t);
    const { commits } = await stats();
    await enrollment.admit({ sourceKey: 'a', limit: wide, now });
    for (let tries = 0; tries < 100 && (await stats()).commits === commits; tries += 1) await setTimeout(20);
    assert.equal((await stats()).commits, commits + 1);
  });
});

suite('closing', () => {
  test('completes what was asked before and refuses what comes after', async (t) => {
    const file = temporaryFile(t);
    const storage = await createSqlite({ file, origin });
    const recorded = Promise.all(
      Array.from({ length: 20 }, (_, i) => storage.enrollment.record(entry(`e${i}`))),
    );
    const closed = storage.close();
    await assert.rejects(storage.enrollment.record(entry('late')), (error) =>
      isSallyportError(error, 'store'),
    );
    await assert.rejects(storage.stats(), (error) => isSallyportError(error, 'store'));
    assert.equal((await recorded).length, 20);
    await closed;
    await storage.close();
    const again = await open(t, file);
    assert.equal((await again.log.head()).size, 20);
  });
});

suite('a thread that dies', () => {
  test('fails what is under way and what comes later, and says so', async (t) => {
    const { StoreThread } = await import('../thread/store-thread.ts');
    const options = { file: temporaryFile(t), origin };
    await (await createSqlite(options)).close();
    const thread = await StoreThread.start(new URL('./worker.ts', import.meta.url), options);
    const underWay = thread.perform('no such operation' as 'note', null);
    const isStore = (error: unknown) => isSallyportError(error, 'store');
    await assert.rejects(underWay, isStore);
    assert.ok(isStore(await thread.failed));
    await assert.rejects(thread.perform('note', null), isStore);
    await assert.rejects(thread.stats(), isStore);
    await thread.close();
  });
});

suite('a database is refused', () => {
  const refused = (file: string, code: 'store' | 'config' | 'log', words: string) =>
    assert.rejects(
      openSqlite({ file, origin }),
      (error) => isSallyportError(error, code) && error.message.includes(words),
    );

  test('that is not there, and is not made', async (t) => {
    const file = temporaryFile(t);
    await refused(file, 'log', 'there is no database');
    assert.equal(existsSync(file), false);
  });

  test('without a log, and none is begun', async (t) => {
    const file = temporaryFile(t);
    writeFileSync(file, '');
    await refused(file, 'log', 'holds no log');
    await refused(file, 'log', 'holds no log');
  });

  test('that is none', async (t) => {
    const file = temporaryFile(t);
    writeFileSync(file, 'no database, but long enough to look at: '.repeat(100));
    await refused(file, 'store', 'cannot be opened');
  });

  test('of a newer program', async (t) => {
    const file = temporaryFile(t);
    const connection = Connection.openWriter(file);
    upgrade(connection, [...migrations, { version: migrations.length + 1, name: 'newer', statements: [] }]);
    connection.close();
    await refused(file, 'store', 'newer');
    await assert.rejects(openSqliteReadOnly(file), (error) => isSallyportError(error, 'store'));
  });

  test('with the log of another origin', async (t) => {
    const file = temporaryFile(t);
    const other = await createSqlite({ file, origin: 'other.example/log' });
    await other.close();
    await refused(file, 'config', 'other.example/log');
  });
});

suite("the database's files", () => {
  const modes = (file: string) => ['', '-wal', '-shm'].map((suffix) => statSync(file + suffix).mode & 0o777);

  test('are read and written by their owner alone', async (t) => {
    const file = temporaryFile(t);
    await open(t, file);
    assert.deepEqual(modes(file), [0o600, 0o600, 0o600]);
  });

  test('are narrowed where they were wider', async (t) => {
    const file = temporaryFile(t);
    await (await createSqlite({ file, origin })).close();
    chmodSync(file, 0o644);
    await open(t, file);
    assert.deepEqual(modes(file), [0o600, 0o600, 0o600]);
  });
});
