import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import type { Examination } from '#evidence';
import { all, run } from '../operation.ts';
import { statement } from '../statement.ts';
import { device, entry, importDevices, mac, now, openStores, verifiedIds } from '../storage.fixture.ts';
import { eraseWithoutPast } from './erase-device.fixture.ts';

const spki = Uint8Array.of(1, 2, 3);
const examination: Examination = {
  sha256: 'aa',
  format: 'endorsement',
  fault: null,
  certificates: ['AA=='],
  statement: null,
};
const message = Uint8Array.of(4, 5);
const given = { deviceId: 'd1', spki, examination, expiresAt: now + 60_000, message };
const asking = { macKeyId: 'k1', template: 'ak', source: '192.0.2.1' };

const selectCount = statement((database, p: { deviceId: string }) =>
  database.selectFrom('activation').select('mac').where('device_id', '=', p.deviceId),
);

const asBefore = statement((database) =>
  database.updateTable('activation').set({ mac_key_id: null, source: null, message: null }),
);

async function withActivation(t: TestContext) {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  const act = { ...given, ...asking, mac: mac('s'), entry: entry('given') };
  await stores.enrollment.giveActivation(act);
  return stores;
}

suite('activations', () => {
  test('are given with their entry, and taken once', async (t) => {
    const { enrollment, log } = await withActivation(t);
    assert.equal((await verifiedIds(log)).at(-1), 'given');
    const query = { macs: [mac('old key'), mac('s')], template: 'ak' };
    const taken = await enrollment.takeActivation(query);
    const octets = { spki: new Uint8Array(taken!.spki), message: new Uint8Array(taken!.message!) };
    assert.deepEqual({ ...taken, ...octets }, given);
    assert.equal(await enrollment.takeActivation(query), null);
  });

  test('of two that ask at once one has it', async (t) => {
    const { enrollment } = await withActivation(t);
    const query = { macs: [mac('s')], template: 'ak' };
    const both = await Promise.all([enrollment.takeActivation(query), enrollment.takeActivation(query)]);
    assert.equal(both.filter((taken) => taken !== null).length, 1);
  });

  test('are of one template, and stay where another one asks', async (t) => {
    const { enrollment } = await withActivation(t);
    assert.equal(await enrollment.takeActivation({ macs: [mac('s')], template: 'other' }), null);
    assert.equal(await enrollment.takeActivation({ macs: [], template: 'ak' }), null);
    assert.equal((await enrollment.takeActivation({ macs: [mac('s')], template: 'ak' }))?.deviceId, 'd1');
  });

  test('are of a device of the inventory', async (t) => {
    const { enrollment } = openStores(t);
    const act = { ...given, ...asking, mac: mac('s'), entry: entry('given') };
    await assert.rejects(enrollment.giveActivation(act), (error) => isSallyportError(error, 'not-found'));
  });

  test('of a device are 64 at most, and whoever asks most loses the oldest', async (t) => {
    const stores = openStores(t);
    const { admin, enrollment } = stores;
    await importDevices(admin, device('d1'), device('d2'));
    let asked = 0;
    const give = async (name: string, source: string, deviceId = 'd1') => {
      asked += 1;
      const expiresAt = given.expiresAt + asked;
      const act = { ...given, ...asking, deviceId, expiresAt, mac: mac(name), source, entry: entry(name) };
      await enrollment.giveActivation(act);
    };
    const isThere = async (name: string) =>
      (await enrollment.takeActivation({ macs: [mac(name)], template: 'ak' })) !== null;
    await give('its own', '192.0.2.1');
    await give('of another', '192.0.2.1', 'd2');
    for (let times = 0; times < 100; times += 1) await give(`theirs ${times}`, '192.0.2.66');
    await give('once more', '192.0.2.1');
    assert.equal((await stores.query(all(selectCount, { deviceId: 'd1' }))).length, 64);
    for (const [name, there] of [
      ['its own', true],
      ['once more', true],
      ['of another', true],
      ['theirs 99', true],
      ['theirs 38', true],
      ['theirs 37', false],
      ['theirs 0', false],
    ] as const) {
      assert.equal(await isThere(name), there, name);
    }
  });

  test('from as many places the oldest of all goes', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    for (let at = 0; at < 65; at += 1) {
      const expiresAt = given.expiresAt + at;
      const act = { ...given, ...asking, expiresAt, mac: mac(`${at}`), source: `192.0.2.${at}` };
      await enrollment.giveActivation({ ...act, entry: entry(`${at}`) });
    }
    assert.equal(await enrollment.takeActivation({ macs: [mac('0')], template: 'ak' }), null);
    assert.notEqual(await enrollment.takeActivation({ macs: [mac('1')], template: 'ak' }), null);
  });

  test('say under which keys they wait, of one template, until they have ended', async (t) => {
    const { enrollment } = await withActivation(t);
    for (const name of ['other', 'third']) {
      const act = { ...given, ...asking, macKeyId: 'k2', mac: mac(name), entry: entry(name) };
      await enrollment.giveActivation(act);
    }
    const keys = async (template: string, at: number) =>
      (await enrollment.activationKeys({ template, now: at })).toSorted();
    assert.deepEqual(await keys('ak', now), ['k1', 'k2']);
    assert.deepEqual(await keys('other', now), []);
    assert.deepEqual(await keys('ak', given.expiresAt), []);
  });

  test('of a version that kept no message have none', async (t) => {
    const stores = await withActivation(t);
    await stores.query(run(asBefore, {}));
    const taken = await stores.enrollment.takeActivation({ macs: [mac('s')], template: 'ak' });
    assert.deepEqual([taken?.deviceId, taken?.message], ['d1', null]);
    assert.deepEqual(await stores.enrollment.activationKeys({ template: 'ak', now }), []);
  });

  test('are forgotten when they have ended', async (t) => {
    const stores = await withActivation(t);
    const { enrollment } = stores;
    await enrollment.forgetActivations(given.expiresAt - 1);
    assert.equal((await stores.query(all(selectCount, { deviceId: 'd1' }))).length, 1);
    await enrollment.forgetActivations(given.expiresAt);
    assert.equal(await enrollment.takeActivation({ macs: [mac('s')], template: 'ak' }), null);
  });

  test('are forgotten with their device, and those of another one are not', async (t) => {
    const stores = await withActivation(t);
    const { admin, enrollment } = stores;
    await importDevices(admin, device('d2'));
    const act = { ...given, ...asking, deviceId: 'd2', mac: mac('of d2'), entry: entry('of d2') };
    await enrollment.giveActivation(act);
    await eraseWithoutPast(stores, 'd1');
    const take = async (name: string) =>
      (await enrollment.takeActivation({ macs: [mac(name)], template: 'ak' }))?.deviceId;
    assert.deepEqual([await take('s'), await take('of d2')], [undefined, 'd2']);
  });
});
