import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { pooledRandom } from './random.ts';

/** Counts on, two bytes a number, and remembers what it filled. */
function counting() {
  const filled: Uint8Array[] = [];
  let count = 0;
  const fill = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 2 <= bytes.length; at += 2) view.setUint16(at, (count += 1));
    filled.push(bytes);
    return bytes;
  };
  return { filled, fill };
}

test('no byte is given out twice, and none is left where it stood', () => {
  const { filled, fill } = counting();
  const random = pooledRandom(fill);
  const seen = new Set<number>();
  for (let n = 0; n < 2000; n += 1) {
    const bytes = random(16);
    assert.equal(bytes.length, 16);
    for (let at = 0; at < 16; at += 2) {
      const number = bytes[at]! * 256 + bytes[at + 1]!;
      assert.ok(!seen.has(number), `${number} came twice`);
      seen.add(number);
    }
  }
  assert.equal(filled.length, 8);
  assert.equal(new Set(filled).size, 1);
  // 2,000 times 16 bytes of 4,096: the last pool is 13/16 given out.
  assert.ok(filled[0]!.subarray(0, 3328).every((byte) => byte === 0));
  assert.ok(!filled[0]!.subarray(3328).every((byte) => byte === 0));
});

test('each has a buffer of its own', () => {
  const random = pooledRandom();
  const [one, other] = [random(12), random(12)];
  assert.equal(one.buffer.byteLength, 12);
  assert.notEqual(one.buffer, other.buffer);
});

test('many bytes are drawn for themselves', () => {
  const drawn: number[] = [];
  const random = pooledRandom((bytes) => {
    drawn.push(bytes.length);
    return randomFillSync(bytes);
  });
  assert.equal(random(65).length, 65);
  assert.equal(random(1000).length, 1000);
  assert.deepEqual(drawn, [65, 1000]);
});
