import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import { createSqlite, openSqliteReadOnly } from '#storage';
import { Connection } from './connection.ts';
import { upgrade } from './upgrade.ts';
import {
  certificateOf,
  device,
  importDevices,
  intent,
  issue,
  origin,
  temporaryFile,
  verifiedIds,
} from '../storage.fixture.ts';

suite('reading beside the writer', () => {
  test('sees one moment: what was committed when it was opened', async (t) => {
    const file = temporaryFile(t);
    const storage = await createSqlite({ file, origin });
    t.after(() => storage.close());
    await importDevices(storage.admin, device('d1'));
    await issue(storage.enrollment, intent('i1', 'd1'));
    await storage.admin.saveReferences('r', new Uint8Array([7]));
    await storage.admin.savePolicies('p', 'permit');
    await storage.log.saveNote(2, 'note');

    const reader = await openSqliteReadOnly(file);
    await issue(storage.enrollment, intent('i2', 'd1'));
    assert.deepEqual(await verifiedIds(reader.log), ['import', 'i1']);
    assert.equal(await reader.log.find('i1'), 1);
    assert.equal(await reader.log.find('i2'), null);
    assert.equal(await reader.log.note(), 'note');
    assert.equal(await reader.log.sinkCursor('file'), 0);
    assert.equal((await reader.log.hashes.read(0, 0, 2)).length, 2);
    assert.equal(await reader.origin(), origin);
    assert.deepEqual(await reader.references('r'), new Uint8Array([7]));
    assert.equal(await reader.policies('p'), 'permit');
    assert.equal(await reader.policies('q'), null);
    const certificates = await Array.fromAsync(reader.certificates());
    assert.deepEqual(
      certificates.map(({ sha256, logIndex, der }) => [sha256, logIndex, Buffer.from(der).toString()]),
      [[certificateOf(intent('i1', 'd1')).sha256, 1, 'DER of i1']],
    );
    await reader.close();

    const later = await openSqliteReadOnly(file);
    assert.deepEqual(await verifiedIds(later.log), ['import', 'i1', 'i2']);
    await later.close();
  });

  test('goes through more certificates than are read at once', async (t) => {
    const file = temporaryFile(t);
    const storage = await createSqlite({ file, origin });
    await importDevices(storage.admin, device('d1'));
    const count = 501;
    await Promise.all(
      Array.from({ length: count }, (_, i) => issue(storage.enrollment, intent(`i${i}`, 'd1'))),
    );
    await storage.close();
    const reader = await openSqliteReadOnly(file);
    const indexes = (await Array.fromAsync(reader.certificates())).map(({ logIndex }) => logIndex);
    assert.deepEqual(
      indexes,
      Array.from({ length: count }, (_, i) => i + 1),
    );
    await reader.close();
  });
});

suite('a database is not read', () => {
  test('where there is none', async (t) => {
    await assert.rejects(openSqliteReadOnly(temporaryFile(t)), (error) => isSallyportError(error, 'store'));
  });

  test('before it was upgraded', async (t) => {
    const file = temporaryFile(t);
    const connection = Connection.openWriter(file);
    upgrade(connection, []);
    connection.close();
    await assert.rejects(
      openSqliteReadOnly(file),
      (error) => isSallyportError(error, 'store') && error.message.includes('serve upgrades it'),
    );
  });
});
