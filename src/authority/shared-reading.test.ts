import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { SharedReading } from './shared-reading.ts';

/** Readings that end when the test says so. */
function openReadings(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const begun: PromiseWithResolvers<string>[] = [];
  const shared = new SharedReading(() => {
    begun.push(Promise.withResolvers<string>());
    return begun.at(-1)!.promise;
  });
  return { begun, shared };
}

suite('a shared reading', () => {
  test('is one for all who ask while it lasts, and for a second after', async (t) => {
    const { begun, shared } = openReadings(t);
    const asked = [shared.value(), shared.value()];
    begun[0]!.resolve('first');
    assert.deepEqual(await Promise.all(asked), ['first', 'first']);
    t.mock.timers.tick(999);
    assert.equal(await shared.value(), 'first');
    t.mock.timers.tick(1);
    void shared.value();
    assert.equal(begun.length, 2);
  });

  test('is begun anew once it is forgotten, and one that was under way then is kept for nobody', async (t) => {
    const { begun, shared } = openReadings(t);
    const before = shared.value();
    shared.forget();
    const after = shared.value();
    begun[0]!.resolve('old');
    begun[1]!.resolve('new');
    assert.deepEqual(await Promise.all([before, after, shared.value()]), ['old', 'new', 'new']);
    assert.equal(begun.length, 2);
  });

  test('that failed has failed for those who waited, and is tried again for the next', async (t) => {
    const { begun, shared } = openReadings(t);
    const asked = [shared.value(), shared.value()];
    begun[0]!.reject(new Error('the disk'));
    for (const each of asked) await assert.rejects(each, /the disk/);
    void shared.value();
    assert.equal(begun.length, 2);
  });
});
