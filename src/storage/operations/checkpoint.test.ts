import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openStores } from '../storage.fixture.ts';

suite('the checkpoint', () => {
  test('kept is the newest: one of a smaller tree changes nothing, one of the same size replaces', async (t) => {
    const { log } = openStores(t);
    assert.equal(await log.note(), null);
    await log.saveNote(0, 'empty');
    assert.equal(await log.note(), 'empty');
    await log.saveNote(5, 'five');
    await log.saveNote(4, 'four');
    assert.equal(await log.note(), 'five');
    await log.saveNote(5, 'five, cosigned');
    assert.equal(await log.note(), 'five, cosigned');
  });
});

suite("a sink's cursor", () => {
  test('begins at 0, is its own, and may be set back', async (t) => {
    const { log } = openStores(t);
    assert.equal(await log.sinkCursor('file'), 0);
    await log.saveSinkCursor('file', 7);
    await log.saveSinkCursor('siem', 3);
    assert.equal(await log.sinkCursor('file'), 7);
    assert.equal(await log.sinkCursor('siem'), 3);
    await log.saveSinkCursor('file', 2);
    assert.equal(await log.sinkCursor('file'), 2);
  });
});
