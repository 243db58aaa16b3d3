import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import type { Examination } from '#evidence';
import { device, entry, importDevices, mac, now, openStores, verifiedIds } from '../storage.fixture.ts';

const spki = Uint8Array.of(1, 2, 3);
const examination: Examination = {
  sha256: 'aa',
  format: 'endorsement',
  fault: null,
  certificates: ['AA=='],
  statement: null,
};
const given = { deviceId: 'd1', spki, examination, expiresAt: now + 60_000 };

async function withActivation(t: TestContext) {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  const act = { ...given, mac: mac('s'), template: 'ak', entry: entry('given') };
  await stores.enrollment.giveActivation(act);
  return stores;
}

suite('activations', () => {
  test('are given with their entry, and taken once', async (t) => {
    const { enrollment, log } = await withActivation(t);
    assert.equal((await verifiedIds(log)).at(-1), 'given');
    const query = { macs: [mac('old key'), mac('s')], template: 'ak' };
    const taken = await enrollment.takeActivation(query);
    assert.deepEqual({ ...taken, spki: new Uint8Array(taken!.spki) }, given);
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
    const act = { ...given, mac: mac('s'), template: 'ak', entry: entry('given') };
    await assert.rejects(enrollment.giveActivation(act), (error) => isSallyportError(error, 'not-found'));
  });

  test('are forgotten when they have ended', async (t) => {
    const { enrollment } = await withActivation(t);
    await enrollment.forgetActivations(given.expiresAt - 1);
    await enrollment.forgetActivations(given.expiresAt);
    assert.equal(await enrollment.takeActivation({ macs: [mac('s')], template: 'ak' }), null);
  });
});
