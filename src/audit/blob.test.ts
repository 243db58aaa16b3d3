import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { blobOf, saltedHash, saltLength, verifyBlob } from '#audit';
import { tampered } from './reference-tree.fixture.ts';

const salt = fc.uint8Array({ minLength: saltLength, maxLength: saltLength });

test('the address is SHA-256 over salt and bytes', () => {
  const [salt, bytes] = [Buffer.alloc(16, 7), Buffer.from('what is kept')];
  const expected = createHash('sha256').update(salt).update(bytes).digest();
  assert.deepEqual(Buffer.from(blobOf(salt, bytes).address), expected);
});

test('what was kept verifies, and nothing else does: with a bit turned anywhere, or salt and bytes split elsewhere', () => {
  fc.assert(
    fc.property(salt, fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (salt, bytes, bit) => {
      const blob = blobOf(salt, bytes);
      verifyBlob(blob);
      for (const altered of [
        { ...blob, bytes: tampered(bytes, bit) },
        { ...blob, salt: tampered(salt, bit) },
        { ...blob, address: tampered(blob.address, bit) },
        { ...blob, salt: Buffer.concat([salt, bytes.subarray(0, 1)]), bytes: bytes.subarray(1) },
      ]) {
        assert.throws(() => verifyBlob(altered), { code: 'log' });
      }
    }),
  );
});

test('the same bytes have another address with another salt, and a salt of another length is refused', () => {
  const bytes = Buffer.from('laptop-7');
  const addresses = [1, 2].map((octet) => blobOf(Buffer.alloc(16, octet), bytes).address);
  assert.notDeepEqual(addresses[0], addresses[1]);
  for (const length of [0, 15, 17]) {
    assert.throws(() => saltedHash(Buffer.alloc(length), bytes), { code: 'malformed' });
  }
});
