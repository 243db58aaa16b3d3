import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { isSallyportError } from '#errors';
import { generateKeyFor } from './generated-key.ts';

test('a generated key is taken once, and fits its public key', async () => {
  const key = await generateKeyFor('ec-p256');
  const pkcs8 = key.takePkcs8();
  const taken = createPrivateKey({ key: Buffer.from(pkcs8), type: 'pkcs8', format: 'der' });
  assert.deepEqual(new Uint8Array(createPublicKey(taken).export({ type: 'spki', format: 'der' })), key.spki);
  assert.throws(
    () => key.takePkcs8(),
    (error) => isSallyportError(error, 'key'),
  );
});

test('a generated key does not show itself', async () => {
  const key = await generateKeyFor('ec-p256');
  assert.equal(inspect(key), 'GeneratedKey {}');
  assert.equal(JSON.stringify(key), '{}');
  assert.throws(() => structuredClone({ key }).key.takePkcs8());
});
