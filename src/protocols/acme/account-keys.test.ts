import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { AccountKeys } from './account-keys.ts';

function canonicalKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  return JSON.stringify({ crv, kty, x, y });
}

test('a key that was seen is the same object, until the account has another one', () => {
  const keys = new AccountKeys();
  assert.equal(keys.of('a'), null);
  const [jwk, next] = [canonicalKey(), canonicalKey()];
  const first = keys.keep({ id: 'a', jwk });
  assert.equal(keys.keep({ id: 'a', jwk }), first);
  assert.equal(keys.of('a'), first);
  const second = keys.keep({ id: 'a', jwk: next });
  assert.notEqual(second, first);
  assert.equal(second.canonical, next);
  assert.equal(keys.of('a'), second);
});

test('of more than 4,096 accounts, those are forgotten that asked least lately', () => {
  const keys = new AccountKeys();
  const jwk = canonicalKey();
  keys.keep({ id: 'first', jwk });
  keys.keep({ id: 'second', jwk });
  keys.keep({ id: 'first', jwk });
  for (let n = 0; n < 4095; n += 1) keys.keep({ id: `n${n}`, jwk });
  assert.notEqual(keys.of('first'), null);
  assert.equal(keys.of('second'), null);
});
