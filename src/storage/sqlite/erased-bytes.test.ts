import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blobOf } from '#audit';
import { device, entry, holdRecord, importDevices, now, origin, temporaryFile } from '../storage.fixture.ts';
import { Connection } from './connection.ts';
import { createSqlite } from './create-sqlite.ts';

const name = 'ida-whose-laptop-it-was';

function bytesOn(file: string): number {
  return [file, `${file}-wal`].reduce((sum, each) => {
    const bytes = existsSync(each) ? readFileSync(each) : Buffer.alloc(0);
    let found = 0;
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) found += 1;
    return sum + found;
  }, 0);
}

test('of what was erased no byte is left in the files, once nobody reads what was before', async (t) => {
  const file = temporaryFile(t);
  const { admin, enrollment, log, close } = await createSqlite({ file, origin });
  t.after(close);
  await importDevices(admin, device(name), device('other'));
  // Pages fill, split and move.
  const blobs = (of: string, at: number) => [
    blobOf(Buffer.alloc(16, at), Buffer.from(`{"/detail/device":"${of}"}${' '.repeat(at * 97)}`)),
  ];
  for (let at = 1; at <= 60; at += 1) {
    await enrollment.record(entry(`e${at}`, blobs(at % 3 === 0 ? 'other' : name, at)));
  }
  // A row that needs pages of its own, and does not any more: those are free from then on, with what was in them.
  const { summary } = holdRecord('r1', name);
  for (const words of [`${name} `.repeat(900), name]) {
    await enrollment.hold(holdRecord('r1', name, { summary: { ...summary, subject: `CN=${words}` } }));
  }
  await admin.setDeviceState({ id: name, state: 'retired', now, entry: entry('retired') });
  assert.ok(bytesOn(file) > 40);
  const reader = Connection.openReader(file);
  t.after(() => reader.close());
  reader.control('begin');
  assert.equal(reader.count('device'), 2);
  const { size } = await log.head();
  const indexes = (await log.blobs(0, size))
    .filter(({ bytes }) => Buffer.from(bytes).includes(name))
    .map(({ index }) => [index, index] as const);
  await admin.eraseDevice({
    id: name,
    as: 'E-1',
    entries: [{ log: 0, indexes }],
    blobs: 40,
    lookedThrough: size,
    now,
    acts: [entry('A-1')],
  });
  // A reader of before sees what it saw, and the authority goes on meanwhile.
  assert.ok(bytesOn(file) > 0);
  await enrollment.record(entry('after'));
  reader.control('commit');
  for (let wait = 0; bytesOn(file) > 0 && wait < 40; wait += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  assert.equal(bytesOn(file), 0);
});
