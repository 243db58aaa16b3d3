import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withOwnBuffers } from './own-buffers.ts';

suite('bytes on their way to another thread', () => {
  test('leave the pool they were allocated in, however deep they are', () => {
    const pooled = Buffer.from('pooled');
    assert.notEqual(pooled.byteLength, pooled.buffer.byteLength);
    const sent = withOwnBuffers({ a: pooled, b: [pooled, 1], c: { d: pooled, e: null } }) as {
      a: Uint8Array;
      b: [Uint8Array, number];
      c: { d: Uint8Array; e: null };
    };
    for (const bytes of [sent.a, sent.b[0], sent.c.d]) {
      assert.equal(bytes.byteLength, bytes.buffer.byteLength);
      assert.equal(Buffer.from(bytes).toString(), 'pooled');
    }
    assert.deepEqual([sent.b[1], sent.c.e], [1, null]);
  });

  test('stay where they are alone in their buffer, and the value with them', () => {
    const value = { a: new Uint8Array([1, 2]), b: { c: 'text' } };
    assert.equal(withOwnBuffers(value), value);
  });
});
