import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { EvidenceMemory, UsedEvidence } from '#enrollment';
import { isSallyportError } from '#errors';
import type { EvidenceVersions } from '#evidence';
import { all } from '../operation.ts';
import { statement } from '../statement.ts';
import {
  device,
  digest,
  holdRecord,
  importDevices,
  intent,
  issuedRecord,
  observeQuery,
  openStores,
  type Stores,
} from '../storage.fixture.ts';
import { eraseWithoutPast } from './erase-device.fixture.ts';
import { usedEvidence } from './evidence.fixture.ts';

const selectCertificates = statement((database) =>
  database.selectFrom('evidence_version').select('certificate'),
);

const older = { osVersion: '17.4' };
const newer = { osVersion: '18' };

async function withDevice(t: TestContext): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  return stores;
}

function used(id: string, memory: Partial<EvidenceMemory> | null): UsedEvidence {
  const of = { format: 'apple' as const, versions: newer, before: null, attestingKey: null };
  return usedEvidence(`evidence of ${id}`, { memory: memory && { ...of, ...memory } });
}

async function issuedOn(
  { enrollment }: Stores,
  id: string,
  memory: Partial<EvidenceMemory> | null,
  deviceId = 'd1',
) {
  const wanted = intent(id, deviceId, { evidence: used(id, memory), spki: digest(`key of ${deviceId}`) });
  assert.equal(await enrollment.reserve(wanted), 'reserved');
  await enrollment.close(issuedRecord(wanted));
}

async function remembered(
  { enrollment }: Stores,
  evidenceFormat: EvidenceMemory['format'] = 'apple',
  value = 'd1',
): Promise<EvidenceVersions | null> {
  const query = { identity: { column: 'id', value }, evidence: digest('e'), evidenceFormat } as const;
  return (await enrollment.observe(observeQuery(query))).versions;
}

suite('versions that evidence said', () => {
  test('are remembered with the certificate, by format', async (t) => {
    const stores = await withDevice(t);
    assert.equal(await remembered(stores), null);
    await issuedOn(stores, 'i1', { versions: older });
    assert.deepEqual(await remembered(stores), older);
    assert.equal(await remembered(stores, 'android-key'), null);
    await issuedOn(stores, 'i2', { versions: newer, before: older });
    assert.deepEqual(await remembered(stores), newer);
    const rows = await stores.query(all(selectCertificates, {}));
    assert.deepEqual(
      rows.map(({ certificate }) => certificate),
      [digest('certificate of i2')],
    );
  });

  test('are of one device, and go when that is erased', async (t) => {
    const stores = await withDevice(t);
    await importDevices(stores.admin, device('d2'));
    await issuedOn(stores, 'i1', { versions: older });
    assert.equal(await remembered(stores, 'apple', 'd2'), null);
    await issuedOn(stores, 'i2', { versions: newer }, 'd2');
    await eraseWithoutPast(stores, 'd1');
    assert.deepEqual(await remembered(stores, 'apple', 'd2'), newer);
  });

  test('are not for what was only held, nor of evidence that is not verified', async (t) => {
    const stores = await withDevice(t);
    await stores.enrollment.hold(holdRecord('r1', 'd1', { evidence: used('r1', {}) }));
    await issuedOn(stores, 'i1', null);
    assert.equal(await remembered(stores), null);
  });

  test('go back with what an operator approved', async (t) => {
    const stores = await withDevice(t);
    await issuedOn(stores, 'i1', { versions: newer });
    await issuedOn(stores, 'i2', { versions: older, before: newer });
    assert.deepEqual(await remembered(stores), older);
  });

  test('that came between are not overwritten: nothing is issued', async (t) => {
    const stores = await withDevice(t);
    const late = intent('late', 'd1', { evidence: used('late', { versions: older }) });
    assert.equal(await stores.enrollment.reserve(late), 'reserved');
    await issuedOn(stores, 'i1', { versions: newer });
    const { size } = await stores.log.head();
    await assert.rejects(stores.enrollment.close(issuedRecord(late)), (error) =>
      isSallyportError(error, 'conflict'),
    );
    assert.deepEqual(await remembered(stores), newer);
    assert.equal((await stores.log.head()).size, size);
  });

  test('that went between are not taken for those that were seen: nothing is issued', async (t) => {
    const stores = await withDevice(t);
    const late = intent('late', 'd1', { evidence: used('late', { before: older }) });
    assert.equal(await stores.enrollment.reserve(late), 'reserved');
    await assert.rejects(stores.enrollment.close(issuedRecord(late)), (error) =>
      isSallyportError(error, 'conflict'),
    );
  });

  test('may be the same of two requests at once', async (t) => {
    const stores = await withDevice(t);
    const second = intent('i2', 'd1', { evidence: used('i2', {}) });
    assert.equal(await stores.enrollment.reserve(second), 'reserved');
    await issuedOn(stores, 'i1', {});
    await stores.enrollment.close(issuedRecord(second));
    assert.deepEqual(await remembered(stores), newer);
  });
});
