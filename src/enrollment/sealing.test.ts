import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { seal, unseal } from './sealing.ts';

const key = { id: 'a', key: Buffer.alloc(32, 1) };
const other = { id: 'b', key: Buffer.alloc(32, 2) };
const random = (n: number) => new Uint8Array(randomBytes(n));

test('what is sealed is opened by its key, for its row, and holds nothing in the clear', () => {
  const secret = Buffer.from('thirty-two octets of MAC key ...');
  const sealed = seal(secret, 'row', key, random);
  assert.deepEqual(unseal(sealed, 'row', 'a', [other, key]), secret);
  assert.equal(Buffer.from(sealed).includes(secret.subarray(0, 8)), false);
});

test('another row, another key, a changed octet and a cut end open nothing', () => {
  const sealed = seal(Buffer.from('secret'), 'row', key, random);
  const isKey = { code: 'key' };
  assert.throws(() => unseal(sealed, 'other', 'a', [key]), isKey);
  assert.throws(() => unseal(sealed, 'row', 'a', [{ ...other, id: 'a' }]), isKey);
  assert.throws(() => unseal(sealed, 'row', 'b', [key]), isKey);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 1;
    assert.throws(() => unseal(changed, 'row', 'a', [key]), isKey);
    assert.throws(() => unseal(sealed.subarray(0, at), 'row', 'a', [key]), isKey);
  }
});
