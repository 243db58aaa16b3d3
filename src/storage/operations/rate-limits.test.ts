import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { spend } from '#limits';
import { now, observeQuery, openStores } from '../storage.fixture.ts';

const two = { burst: 2, count: 2, periodSeconds: 7 };

suite('admit', () => {
  test('returns the arrival time before this request and spends one while the limit conforms', async (t) => {
    const { enrollment } = openStores(t);
    const admit = () => enrollment.admit({ sourceKey: '192.0.2.1', limit: two, now });
    const afterOne = spend(two, null, now).tat;
    const afterTwo = spend(two, afterOne, now).tat;
    assert.deepEqual(await admit(), { tat: null });
    assert.deepEqual(await admit(), { tat: afterOne });
    assert.deepEqual(await admit(), { tat: afterTwo });
    assert.deepEqual(await admit(), { tat: afterTwo }, 'a request beyond the limit spends nothing');
    assert.equal(spend(two, afterTwo, now).conforms, false);
  });

  test('keeps fractions of a millisecond', async (t) => {
    const { enrollment } = openStores(t);
    const limit = { burst: 3, count: 7, periodSeconds: 1 };
    await enrollment.admit({ sourceKey: 'a', limit, now });
    const { tat } = await enrollment.admit({ sourceKey: 'a', limit, now });
    assert.equal(tat, spend(limit, null, now).tat);
    assert.ok(!Number.isInteger(tat));
  });

  test('counts each source for itself, and no device or template of the same name', async (t) => {
    const { enrollment } = openStores(t);
    await enrollment.admit({ sourceKey: 'a', limit: two, now });
    assert.deepEqual(await enrollment.admit({ sourceKey: 'b', limit: two, now }), { tat: null });
    const observed = await enrollment.observe(observeQuery({ template: 'a' }));
    assert.equal(observed.rates.template, null);
  });
});

suite('questions to verifiers', () => {
  test('count for each credential of each device', async (t) => {
    const { enrollment } = openStores(t);
    const spent = (deviceId: string, credential: string) =>
      enrollment.spendVerifierRate({ deviceId, credential, limit: two, now });
    const { tat } = spend(two, null, now);
    const full = spend(two, tat, now).tat;
    assert.deepEqual(await spent('d1', 'secret s1'), { conforms: true, tat: null });
    assert.deepEqual(await spent('d1', 'secret s1'), { conforms: true, tat });
    assert.deepEqual(await spent('d1', 'secret s1'), { conforms: false, tat: full });
    assert.deepEqual(await spent('d1', 'secret s2'), { conforms: true, tat: null });
    assert.deepEqual(await spent('d2', 'secret s1'), { conforms: true, tat: null });
  });
});
