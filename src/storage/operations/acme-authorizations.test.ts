import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
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

const isConflict = (error: unknown) => isSallyportError(error, 'conflict');
const id = 'authorization of o1';

async function answered(t: Parameters<typeof openStores>[0]): Promise<Stores & { readonly over: number }> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'));
  await createExternalAccountKey(stores.admin, newExternalAccountKey('k1', 'd1'));
  await createAccount(stores.acme, 'a1', 'k1');
  await createOrder(stores.acme, 'o1', 'a1');
  const { expiresAt: over } = (await stores.acme.authorization(id))!;
  const answer = { id, method: 'http-01', request: 'r', dueAt: now + 1, now, entry: entry('answer') };
  await stores.acme.respond(answer);
  return { ...stores, over };
}

suite('an authorization that was answered', () => {
  test('counts for nothing where it is proven when it is over, and nobody looks for it any more', async (t) => {
    const { acme, over } = await answered(t);
    const proof = { id, problem: null, expiresAt: over + hour, entry: entry('proof') };
    assert.deepEqual(
      (await acme.dueAuthorizations(over - 1, 9)).map((each) => each.id),
      [id],
    );
    assert.deepEqual(await acme.dueAuthorizations(over, 9), []);
    await assert.rejects(acme.validated({ ...proof, now: over }), isConflict);
    assert.equal((await acme.authorization(id))!.status, 'pending');
    await acme.validated({ ...proof, now: over - 1 });
    assert.equal((await acme.authorization(id))!.status, 'valid');
  });

  test('is taken by one at a time', async (t) => {
    const { acme } = await answered(t);
    assert.deepEqual(await acme.dueAuthorizations(now, 9), []);
    const take = { id, now: now + 1, dueAt: now + 2 };
    assert.deepEqual(await Promise.all([acme.takeDue(take), acme.takeDue(take)]), [true, false]);
  });
});
