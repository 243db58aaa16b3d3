import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  createAccount,
  createExternalAccountKey,
  createOrder,
  device,
  digest,
  entry,
  hour,
  importDevices,
  intent,
  issue,
  newExternalAccountKey,
  now,
  openStores,
  type Stores,
} from '../storage.fixture.ts';

const day = 24 * hour;

async function withOrders(t: Parameters<typeof openStores>[0], ...ids: string[]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  await createExternalAccountKey(stores.admin, newExternalAccountKey('k1', 'd1', { maximumCertificates: 1 }));
  await createAccount(stores.acme, 'a1', 'k1');
  for (const id of ids) await createOrder(stores.acme, id, 'a1');
  return stores;
}

async function prove({ acme }: Stores, order: string): Promise<void> {
  const id = `authorization of ${order}`;
  await acme.respond({
    id,
    method: 'dns-01',
    request: 'R',
    dueAt: now,
    now,
    entry: entry(`respond ${order}`),
  });
  await acme.validated({ id, problem: null, expiresAt: now + hour, now, entry: entry(`valid ${order}`) });
}

suite('orders that are over', () => {
  test('are forgotten with what was to be proven; those whose certificate is current are not', async (t) => {
    const stores = await withOrders(t, 'o1', 'o2');
    const { acme, enrollment } = stores;
    await prove(stores, 'o1');
    const { notAfter } = await issue(enrollment, intent('i1', 'd1', { template: 'web', order: 'o1' }));
    await acme.forgetOrders({ now: now + hour, over: now + hour - 1 });
    assert.deepEqual([(await acme.order('o1'))?.id, (await acme.order('o2'))?.id], ['o1', 'o2']);
    await acme.forgetOrders({ now: now + day, over: now + hour });
    assert.deepEqual([(await acme.order('o1'))?.id, await acme.order('o2')], ['o1', null]);
    assert.equal(await acme.authorization('authorization of o2'), null);
    assert.notEqual(await acme.authorization('authorization of o1'), null);
    await acme.forgetOrders({ now: notAfter + day, over: notAfter + 1 });
    assert.equal(await acme.order('o1'), null);
    assert.equal(await acme.authorization('authorization of o1'), null);
  });
});

suite('the count of an account', () => {
  test('holds for an intent that is open, and for what it becomes', async (t) => {
    const stores = await withOrders(t, 'o1');
    const { acme, enrollment } = stores;
    const identifier = { type: 'dns', value: 'other.example.org' } as const;
    await acme.createOrder({
      id: 'o2',
      account: 'a1',
      template: 'web',
      identifiers: [identifier],
      names: digest('other.example.org'),
      notBefore: null,
      notAfter: null,
      replaces: null,
      expiresAt: now + hour,
      wanted: [{ ...identifier, id: 'authorization of o2', wildcard: false, token: 't' }],
      reuseUntil: now,
      proveUntil: now + hour,
      maximumOpen: 9,
      now,
      entry: entry('order o2'),
    });
    await prove(stores, 'o1');
    await prove(stores, 'o2');
    const first = intent('i1', 'd1', { template: 'web', order: 'o1' });
    const second = intent('i2', 'd1', { template: 'web', order: 'o2', spki: digest('another key') });
    assert.equal(await enrollment.reserve(first), 'reserved');
    assert.equal(await enrollment.reserve(second), 'conflict');
  });
});

test('a nonce that was used is known for a while longer than it would be taken', async (t) => {
  const { acme } = openStores(t);
  const nonce = Buffer.from('nonce');
  assert.equal(await acme.useNonce(nonce, now), true);
  await acme.forgetNonces(now + 30_000);
  assert.equal(await acme.useNonce(nonce, now), false);
  await acme.forgetNonces(now + 60_000);
  assert.equal(await acme.useNonce(nonce, now), true);
});
