import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { openStores } from '../storage.fixture.ts';

suite('bodies of references and policies', () => {
  test('are kept under their digests; saving again is no error', async (t) => {
    const { admin } = openStores(t);
    for (let time = 0; time < 2; time += 1) {
      await admin.saveReferences('d1', new Uint8Array([1, 2]));
      await admin.savePolicies('d1', 'permit (principal, action, resource);');
    }
    assert.deepEqual(await admin.references('d1'), new Uint8Array([1, 2]));
    assert.equal(await admin.policies('d1'), 'permit (principal, action, resource);');
    assert.equal(await admin.references('d2'), null);
    assert.equal(await admin.policies('d2'), null);
  });
});
