import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import { entry, mac, now, openStores } from '../storage.fixture.ts';

suite('an operator', () => {
  test('is found by the hash of the token', async (t) => {
    const { admin } = openStores(t);
    const act = { name: 'ada', tokenHash: mac('token'), now, entry: entry('create') };
    assert.deepEqual(await admin.createOperator(act), { index: 0 });
    assert.deepEqual(await admin.operatorByTokenHash(mac('token')), { name: 'ada' });
    assert.equal(await admin.operatorByTokenHash(mac('other')), null);
  });

  test('has a name and a token of their own', async (t) => {
    const { admin, log } = openStores(t);
    const create = (name: string, token: string) =>
      admin.createOperator({ name, tokenHash: mac(token), now, entry: entry('create') });
    await create('ada', 'one');
    await assert.rejects(create('ada', 'two'), (error) => isSallyportError(error, 'conflict'));
    await assert.rejects(create('bob', 'one'), (error) => isSallyportError(error, 'conflict'));
    assert.equal((await log.head()).size, 1);
  });
});
