import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { blobOf } from '#audit';
import {
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  hour,
  importDevices,
  mac,
  newSecret,
  now,
  openStores,
  type Stores,
} from '../storage.fixture.ts';

const request = 'a certification request';
const key = { signer: digest('key'), transaction: digest('transaction') };

/** Held, and polled for by `key`; beside its entry the request is kept. */
async function held(stores: Stores, id: string, changes: object = {}) {
  const blob = blobOf(Buffer.alloc(16, id.length), Buffer.from(`${request} ${id}`));
  const polled = { ...key, address: blob.address, secretId: 's1', challenge: null };
  const own = { ...entry(id), blobs: [blob] };
  await stores.enrollment.hold(holdRecord(id, 'd1', { secretId: 's1', polled, entry: own, ...changes }));
}

async function prepared(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  await createSecret(stores.admin, newSecret('s1', 'd1'));
  return stores;
}

suite('a poll', () => {
  test('finds what was asked for by its key, in its transaction and for its template: the newest', async (t) => {
    const stores = await prepared(t);
    const { enrollment } = stores;
    await held(stores, 'r1');
    await held(stores, 'r22');
    const found = await enrollment.polled({ ...key, template: 'device' });
    assert.equal(Buffer.from(found!.certificationRequest).toString(), `${request} r22`);
    assert.deepEqual(Buffer.from(found!.secretMac!), Buffer.from(mac('s1')));
    for (const other of [
      { signer: digest('another key') },
      { transaction: digest('another') },
      { template: 'server' },
    ]) {
      assert.equal(await enrollment.polled({ ...key, template: 'device', ...other }), null);
    }
  });

  test('of a request without a secret has none, and says which challenge held', async (t) => {
    const stores = await prepared(t);
    const blob = blobOf(Buffer.alloc(16), Buffer.from(request));
    const polled = { ...key, address: blob.address, secretId: null, challenge: 'static' as const };
    await held(stores, 'r1', { secretId: null, polled, entry: { ...entry('r1'), blobs: [blob] } });
    const found = await stores.enrollment.polled({ ...key, template: 'device' });
    assert.deepEqual([found!.secretMac, found!.challenge], [null, 'static']);
  });

  test('of what nobody has polled for since finds nothing', async (t) => {
    const stores = await prepared(t);
    await held(stores, 'r1');
    await stores.admin.forgetPolled(now - hour);
    assert.notEqual(await stores.enrollment.polled({ ...key, template: 'device' }), null);
    await stores.admin.forgetPolled(now);
    assert.equal(await stores.enrollment.polled({ ...key, template: 'device' }), null);
  });
});
