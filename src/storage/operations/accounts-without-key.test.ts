import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Examination } from '#evidence';
import { isSallyportError } from '#errors';
import {
  createAccount,
  createExternalAccountKey,
  createOrder,
  device,
  entry,
  hour,
  importDevices,
  newExternalAccountKey,
  now,
  openStores,
  type Stores,
} from '../storage.fixture.ts';
import { run } from '../operation.ts';
import { statement } from '../statement.ts';
import { endAcme } from './end-acme.ts';

const forgetDevice = statement((database, p: { id: string }) =>
  database.updateTable('acme_account').set({ device_id: null }).where('id', '=', p.id),
);

const isForbidden = (error: unknown) => isSallyportError(error, 'forbidden');
const examination: Examination = {
  sha256: '00'.repeat(32),
  format: 'tpm',
  fault: null,
  certificates: [],
  statement: null,
};

/** An account of nobody, `a1`, with an order `o1`; devices d1 and d2. */
async function withAccount(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  await createAccount(stores.acme, 'a1', null);
  await createOrder(stores.acme, 'o1', 'a1');
  return stores;
}

/** What answers the challenge of an order. */
function attested({ acme }: Stores, order: string, owner: string | null, problem: object | null = null) {
  return acme.attested({
    id: `authorization of ${order}`,
    method: 'device-attest-01',
    request: 'R',
    problem,
    expiresAt: now + hour,
    evidence: examination,
    owner: owner === null ? null : { account: 'a1', device: owner },
    now,
    entries: [entry(`attest ${order}`), entry(`attested ${order}`)],
  });
}

const ownerOf = async ({ acme }: Stores) => (await acme.account('a1'))!.device;

suite('an account without an external account key', () => {
  test('is nobody’s, and then the device’s that evidence gives it to', async (t) => {
    const stores = await withAccount(t);
    const { acme, admin } = stores;
    const made = (await acme.account('a1'))!;
    assert.deepEqual([made.externalAccountKey, made.device, made.key], [null, null, null]);
    assert.deepEqual(await acme.accountByKey('thumbprint of a1'), made);
    assert.deepEqual(await admin.accounts({ deviceId: 'd1', limit: 9 }), []);
    await attested(stores, 'o1', 'd1');
    assert.equal(await ownerOf(stores), 'd1');
    const [listed] = await admin.accounts({ deviceId: 'd1', limit: 9 });
    assert.deepEqual(
      [listed!.id, listed!.deviceId, listed!.templates, listed!.externalAccountKey, listed!.keyState],
      ['a1', 'd1', null, null, null],
    );
  });

  test('is given to one device only, with its proof or not at all', async (t) => {
    const stores = await withAccount(t);
    await createOrder(stores.acme, 'o2', 'a1');
    await attested(stores, 'o1', 'd1');
    await assert.rejects(attested(stores, 'o2', 'd2'), isForbidden);
    assert.equal(await ownerOf(stores), 'd1');
    assert.equal((await stores.acme.authorization('authorization of o2'))!.status, 'pending');
  });

  test('may be given to the same device twice, by orders that were seen at once', async (t) => {
    const stores = await withAccount(t);
    await createOrder(stores.acme, 'o2', 'a1');
    for (const order of ['o1', 'o2']) await attested(stores, order, 'd1');
    assert.equal((await stores.acme.authorization('authorization of o2'))!.status, 'valid');
  });

  test('is given to no device that was retired', async (t) => {
    const stores = await withAccount(t);
    await stores.admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire d1') });
    await assert.rejects(attested(stores, 'o1', 'd1'), isForbidden);
    assert.equal(await ownerOf(stores), null);
  });

  test('that has ended is given to none', async (t) => {
    const stores = await withAccount(t);
    await stores.admin.revokeAccount({ id: 'a1', entry: entry('revoke') });
    await assert.rejects(attested(stores, 'o1', 'd1'), isForbidden);
    assert.equal(await ownerOf(stores), null);
  });

  test('one that has a key is its device’s from the beginning', async (t) => {
    const stores = await withAccount(t);
    await createExternalAccountKey(stores.admin, newExternalAccountKey('k1', 'd2'));
    await createAccount(stores.acme, 'a2', 'k1');
    assert.equal((await stores.acme.account('a2'))!.device, 'd2');
  });

  test('one that a node of an earlier version made is of its key’s device, for ever', async (t) => {
    const stores = await withAccount(t);
    const { acme } = stores;
    await createExternalAccountKey(stores.admin, newExternalAccountKey('k1', 'd2'));
    await createAccount(acme, 'a1b', 'k1');
    await stores.query(
      (function* () {
        yield* run(forgetDevice, { id: 'a1b' });
      })(),
    );
    assert.equal((await acme.account('a1b'))!.device, 'd2');
    await acme.forgetOrders({ now: now + 9 * hour, over: now + 8 * hour });
    assert.notEqual(await acme.account('a1b'), null);
  });

  test('ends with its device, and goes with it', async (t) => {
    const stores = await withAccount(t);
    await attested(stores, 'o1', 'd1');
    const { admin, acme } = stores;
    const retire = (id: string) =>
      admin.setDeviceState({ id, state: 'retired', now, entry: entry(`retire ${id}`) });
    await retire('d2');
    assert.equal((await acme.account('a1'))!.status, 'valid');
    await retire('d1');
    assert.equal((await acme.account('a1'))!.status, 'revoked');
  });

  test('ends with a restore', async (t) => {
    const stores = await withAccount(t);
    const { accounts } = await stores.query(endAcme());
    assert.equal(accounts, 1);
    assert.equal((await stores.acme.account('a1'))!.status, 'revoked');
  });

  test('is forgotten where it is nobody’s, with its last order', async (t) => {
    const stores = await withAccount(t);
    const { acme } = stores;
    const forget = (over: number) => acme.forgetOrders({ now: over + hour, over });
    await forget(now + 60_000);
    assert.notEqual(await acme.account('a1'), null, 'its order is open');
    const { expiresAt } = (await acme.order('o1'))!;
    await forget(expiresAt + 1);
    assert.deepEqual([await acme.order('o1'), await acme.account('a1')], [null, null]);
  });

  test('stays where it is a device’s', async (t) => {
    const stores = await withAccount(t);
    await attested(stores, 'o1', 'd1');
    const { expiresAt } = (await stores.acme.order('o1'))!;
    await stores.acme.forgetOrders({ now: expiresAt + hour, over: expiresAt + 1 });
    assert.equal(await ownerOf(stores), 'd1');
  });
});
