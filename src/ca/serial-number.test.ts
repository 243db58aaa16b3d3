import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { randomSerialNumber } from './serial-number.ts';

test('positive and of 20 octets, whatever the randomness (RFC 5280 section 4.1.2.2)', () => {
  assert.equal(
    randomSerialNumber((octets) => new Uint8Array(octets)),
    `40${'00'.repeat(19)}`,
  );
  assert.equal(
    randomSerialNumber((octets) => new Uint8Array(octets).fill(0xff)),
    `7f${'ff'.repeat(19)}`,
  );
});

test('all but the first two bits are the random ones', () => {
  const random = randomBytes(20);
  const serialNumber = Uint8Array.fromHex(randomSerialNumber(() => random));
  assert.equal((serialNumber[0] ?? 0) & 0x3f, (random[0] ?? 0) & 0x3f);
  assert.deepEqual(serialNumber.subarray(1), new Uint8Array(random.subarray(1)));
});

test('a source that gives less than it was asked for is not used', () => {
  assert.throws(() => randomSerialNumber(() => new Uint8Array(8)), { code: 'internal' });
});
