import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import type { AttesterQuery } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  device,
  digest,
  entry,
  importDevices,
  intent,
  issue,
  issuedRecord,
  now,
  observeQuery,
  openStores,
  type Stores,
} from '../storage.fixture.ts';
import { usedEvidence } from './evidence.fixture.ts';

const spki = digest('attestation key');
const keyCompromise = 1;
const superseded = 4;

/** d1, with two certificates of its attestation key. */
async function withAttester(t: TestContext) {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  const [first, second] = ['a1', 'a2'].map((id) => intent(id, 'd1', { template: 'attestation-key', spki }));
  await issue(stores.enrollment, first!);
  await issue(stores.enrollment, second!);
  const of = ({ serialNumber }: { serialNumber: string }): AttesterQuery => ({ spki, serialNumber });
  return { stores, first: of(first!), second: of(second!) };
}

async function revoke({ admin }: Stores, id: string, reason: number): Promise<void> {
  const sha256 = digest(`certificate of ${id}`);
  await admin.revokeCertificate({ sha256, reason, now, entry: entry(`revoke ${id}`) });
}

async function seen({ enrollment }: Stores, attester: AttesterQuery) {
  return (await enrollment.observe(observeQuery({ evidence: digest('evidence'), attester }))).attester;
}

suite('the certificate of an attestation key', () => {
  test('is known by what its issuer has signed: its serial number and its key', async (t) => {
    const { stores, first } = await withAttester(t);
    assert.deepEqual(await seen(stores, first), { deviceId: 'd1', revoked: false });
    assert.equal(await seen(stores, { ...first, serialNumber: '0a' }), null);
    assert.equal(await seen(stores, { ...first, spki: digest('another key') }), null);
  });

  test('that is revoked says nothing of another one of its key', async (t) => {
    const { stores, first, second } = await withAttester(t);
    await revoke(stores, 'a1', superseded);
    assert.deepEqual(await seen(stores, first), { deviceId: 'd1', revoked: true });
    assert.deepEqual(await seen(stores, second), { deviceId: 'd1', revoked: false });
  });

  test('that is revoked as compromised takes its key along, whoever has certified that', async (t) => {
    const { stores, first, second } = await withAttester(t);
    await revoke(stores, 'a1', keyCompromise);
    assert.deepEqual(await seen(stores, first), { deviceId: 'd1', revoked: true, compromised: true });
    assert.deepEqual(await seen(stores, second), { deviceId: 'd1', revoked: false, compromised: true });
    const elsewhere = await seen(stores, { spki, serialNumber: '0a' });
    assert.deepEqual(elsewhere, { deviceId: null, revoked: false, compromised: true });
    assert.equal(await seen(stores, { spki: digest('another key'), serialNumber: '0a' }), null);
  });

  for (const [what, reason] of [
    ['the certificate', superseded],
    ['the key', keyCompromise],
  ] as const) {
    test(`and ${what} is taken back between reserving and closing: nothing is issued`, async (t) => {
      const { stores, first, second } = await withAttester(t);
      const attester = reason === keyCompromise ? second : first;
      const evidence = usedEvidence('evidence', { attester });
      const asked = intent('i1', 'd1', { evidence });
      assert.equal(await stores.enrollment.reserve(asked), 'reserved');
      await revoke(stores, 'a1', reason);
      await assert.rejects(stores.enrollment.close(issuedRecord(asked)), (error) =>
        isSallyportError(error, 'conflict'),
      );
    });
  }
});
