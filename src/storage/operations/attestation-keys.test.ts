import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { AttestingKeyObservation, UsedEvidence } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issuedRecord,
  observeQuery,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';
import { eraseWithoutPast } from './erase-device.fixture.ts';
import { usedEvidence } from './evidence.fixture.ts';

const spki = digest('attestation key');

async function withDevices(t: TestContext): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'), device('d3'));
  return stores;
}

function used(id: string, key: Partial<AttestingKeyObservation> | null, alarm = false): UsedEvidence {
  const attestingKey = key && { spki, otherDevices: 0, known: false, ...key };
  return usedEvidence(`evidence of ${id}`, {
    memory: { format: 'tpm', versions: {}, before: null, attestingKey },
    alarm: alarm ? entry(`alarm of ${id}`) : null,
  });
}

/** A certificate of another key for each. */
const wanted = (id: string, deviceId: string, evidence: UsedEvidence) =>
  intent(id, deviceId, { spki: digest(`key of ${id}`), evidence });

async function issuedBy(
  { enrollment }: Stores,
  id: string,
  deviceId: string,
  ...of: [Partial<AttestingKeyObservation>, boolean?]
) {
  const asked = wanted(id, deviceId, used(id, ...of));
  assert.equal(await enrollment.reserve(asked), 'reserved');
  await enrollment.close(issuedRecord(asked));
}

async function seen({ enrollment }: Stores, id: string, attestingKey = spki) {
  const query = { identity: { column: 'id', value: id }, evidence: digest('e'), attestingKey } as const;
  return (await enrollment.observe(observeQuery(query))).attestingKey;
}

suite('keys that attest', () => {
  test('are remembered with the devices that got certificates by them', async (t) => {
    const stores = await withDevices(t);
    assert.deepEqual(await seen(stores, 'd1'), { spki, otherDevices: 0, known: false });
    await issuedBy(stores, 'i1', 'd1', {});
    await issuedBy(stores, 'i2', 'd2', { otherDevices: 1 });
    await issuedBy(stores, 'i3', 'd1', { otherDevices: 1, known: true });
    assert.deepEqual(await seen(stores, 'd1'), { spki, otherDevices: 1, known: true });
    assert.deepEqual(await seen(stores, 'd3'), { spki, otherDevices: 2, known: false });
    for (const id of ['d1', 'd3']) {
      const other = { spki: digest('other'), otherDevices: 0, known: false };
      assert.deepEqual(await seen(stores, id, digest('other')), other);
    }
  });

  test('of two devices that ask at once by one key the second gets nothing', async (t) => {
    const stores = await withDevices(t);
    const late = wanted('late', 'd2', used('late', {}));
    assert.equal(await stores.enrollment.reserve(late), 'reserved');
    await issuedBy(stores, 'i1', 'd1', {});
    await assert.rejects(stores.enrollment.close(issuedRecord(late)), (error) =>
      isSallyportError(error, 'conflict'),
    );
    assert.deepEqual(await seen(stores, 'd2'), { spki, otherDevices: 1, known: false });
  });

  test('that one device asks by twice at once are good for both', async (t) => {
    const stores = await withDevices(t);
    const second = wanted('second', 'd1', used('second', {}));
    assert.equal(await stores.enrollment.reserve(second), 'reserved');
    await issuedBy(stores, 'i1', 'd1', {});
    await stores.enrollment.close(issuedRecord(second));
    assert.deepEqual(await seen(stores, 'd1'), { spki, otherDevices: 0, known: true });
  });

  test('that a device had when it was judged, and has no more, are good for nothing', async (t) => {
    const stores = await withDevices(t);
    const late = wanted('late', 'd1', used('late', { known: true }));
    assert.equal(await stores.enrollment.reserve(late), 'reserved');
    await assert.rejects(stores.enrollment.close(issuedRecord(late)), (error) =>
      isSallyportError(error, 'conflict'),
    );
  });

  test('on fewer devices than were seen are good', async (t) => {
    const stores = await withDevices(t);
    await issuedBy(stores, 'i1', 'd1', { otherDevices: 2 });
    assert.deepEqual(await seen(stores, 'd1'), { spki, otherDevices: 0, known: true });
  });

  test('count a device that was erased, and leave the others as they are', async (t) => {
    const stores = await withDevices(t);
    await issuedBy(stores, 'i1', 'd1', {});
    await issuedBy(stores, 'i2', 'd2', { otherDevices: 1 });
    const other = digest('another attestation key');
    await issuedBy(stores, 'i3', 'd3', { spki: other });
    await eraseWithoutPast(stores, 'd1');
    const keys = await stores.admin.attestationKeys({ limit: 9, devices: 9 });
    assert.deepEqual(
      keys.map((key) => [key.spki, key.devices, key.deviceIds.toSorted()]),
      [
        [spki, 2, ['E-d1', 'd2']],
        [other, 1, ['d3']],
      ],
    );
  });

  test('are listed, those on the most devices first, with the first of these', async (t) => {
    const stores = await withDevices(t);
    const other = digest('another attestation key');
    await issuedBy(stores, 'i1', 'd1', { spki: other });
    await issuedBy(stores, 'i2', 'd3', {});
    await issuedBy(stores, 'i3', 'd2', { otherDevices: 1 });
    const shared = { spki, format: 'tpm', devices: 2 };
    assert.deepEqual(await stores.admin.attestationKeys({ limit: 9, devices: 1 }), [
      { ...shared, deviceIds: ['d2'] },
      { spki: other, format: 'tpm', devices: 1, deviceIds: ['d1'] },
    ]);
    assert.deepEqual(await stores.admin.attestationKeys({ limit: 1, devices: 0 }), [
      { ...shared, deviceIds: [] },
    ]);
  });

  test('on too many devices are an entry of their own, once for a request that waits', async (t) => {
    const stores = await withDevices(t);
    const held = holdRecord('r1', 'd1', { evidence: used('r1', {}, true) });
    await stores.enrollment.hold(held);
    await stores.enrollment.hold({ ...held, requestId: 'r2', entry: entry('r2') });
    await issuedBy(stores, 'i1', 'd1', {}, true);
    assert.deepEqual((await verifiedIds(stores.log)).slice(-5), [
      'r1',
      'alarm of r1',
      'r2',
      'i1',
      'alarm of i1',
    ]);
  });
});
