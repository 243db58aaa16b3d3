import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { blobOf } from '#audit';
import { isSallyportError } from '#errors';
import {
  createSecret,
  device,
  entry,
  holdRecord,
  importDevices,
  intent,
  issue,
  issuedRecord,
  newSecret,
  openStores,
} from '../storage.fixture.ts';

const blob = (text: string, octet = 1) => blobOf(Buffer.alloc(16, octet), Buffer.from(text));
const plain = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

suite('what is kept beside the log', () => {
  test('comes with its entry: recorded, held or issued', async (t) => {
    const { admin, enrollment, log } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    await enrollment.record(entry('none'));
    const recorded = await enrollment.record(entry('r0', [blob('recorded')]));
    const held = await enrollment.hold({ ...holdRecord('r1', 'd1'), entry: entry('r1', [blob('held')]) });
    const wanted = intent('i1', 'd1');
    assert.equal(await enrollment.reserve(wanted), 'reserved');
    const issued = await enrollment.close({ ...issuedRecord(wanted), entry: entry('i1', [blob('issued')]) });
    const kept = await log.blobs(0, 100);
    assert.deepEqual(
      kept.map(({ index, bytes }) => `${index} ${Buffer.from(bytes).toString()}`),
      [`${recorded.index} recorded`, `${held.index} held`, `${issued.index} issued`],
    );
    const [first] = kept;
    const { address, salt } = blob('recorded');
    assert.deepEqual([plain(first!.address), plain(first!.salt)], [plain(address), plain(salt)]);
    assert.deepEqual(await log.blobs(0, recorded.index), []);
    assert.equal((await log.blobs(held.index, held.index + 1)).length, 1);
  });

  test('the same bytes beside two entries are two, and several beside one are all there', async (t) => {
    const { enrollment, log } = openStores(t);
    await enrollment.record(entry('a', [blob('same', 1)]));
    await enrollment.record(entry('b', [blob('same', 1), blob('same', 2), blob('other')]));
    assert.deepEqual(
      (await log.blobs(0, 2)).map(({ index }) => index),
      [0, 1, 1, 1],
    );
  });

  test('goes with the entry where the transaction comes to nothing', async (t) => {
    const { admin, enrollment, log } = openStores(t);
    await importDevices(admin, device('d1'));
    const wanted = intent('i1', 'd1');
    await issue(enrollment, wanted);
    const again = { ...issuedRecord(wanted), entry: entry('i1', [blob('late')]) };
    await assert.rejects(enrollment.close(again), (error) => isSallyportError(error, 'conflict'));
    await assert.rejects(enrollment.record(entry('twice', [blob('one'), blob('one')])));
    assert.deepEqual(await log.blobs(0, 100), []);
    assert.equal(await log.find('twice'), null);
  });

  test('is read for 256 entries at once and no more', async (t) => {
    const { log } = openStores(t);
    await log.blobs(0, 256);
    await assert.rejects(log.blobs(0, 257), (error) => isSallyportError(error, 'too-large'));
  });
});
