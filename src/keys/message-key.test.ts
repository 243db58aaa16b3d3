import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, publicEncrypt, randomBytes, verify } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { isSallyportError } from '#errors';
import { MessageKey } from './message-key.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const plain = randomBytes(32);
const pkcs1 = { key: publicKey, padding: constants.RSA_PKCS1_PADDING };

function open(t: TestContext): MessageKey {
  const key = new MessageKey(privateKey);
  t.after(() => key.close());
  return key;
}

describe('a decryption key', () => {
  test('decrypts what was encrypted for it, many at once', async (t) => {
    const key = open(t);
    const forms = [
      ['pkcs1', publicEncrypt(pkcs1, plain)],
      ['oaep-sha1', publicEncrypt({ key: publicKey, oaepHash: 'sha1' }, plain)],
      ['oaep-sha256', publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, plain)],
    ] as const;
    const opened = await Promise.all(
      [...forms, ...forms].map(([transport, encrypted]) => key.decrypt(encrypted, transport)),
    );
    for (const each of opened) assert.deepEqual(Buffer.from(each), plain);
  });

  test('gives other octets for what was not: the same for the same, and never an error', async (t) => {
    const key = open(t);
    for (const encrypted of [
      randomBytes(256),
      Buffer.alloc(256),
      Buffer.alloc(256, 0xff),
      randomBytes(9),
      Buffer.alloc(0),
    ]) {
      const first = await key.decrypt(encrypted, 'pkcs1');
      assert.deepEqual(await key.decrypt(encrypted, 'pkcs1'), first);
      assert.notDeepEqual(Buffer.from(first), plain);
      assert.equal((await key.decrypt(encrypted, 'oaep-sha256')).length, 0);
    }
    // Below the modulus, so that a padding is looked for: made up octets come out, of some length.
    const lengths = new Set<number>();
    for (let at = 0; at < 24; at += 1) {
      const encrypted = randomBytes(256);
      encrypted[0] = 0;
      lengths.add((await key.decrypt(encrypted, 'pkcs1')).length);
    }
    assert.ok(lengths.size > 6, [...lengths].join(' '));
  });

  test('signs with the hash that is asked for', async (t) => {
    const key = open(t);
    for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      assert.ok(verify(hash, plain, publicKey, await key.sign(plain, hash)));
    }
  });

  test('shows nothing of itself', (t) => {
    const key = open(t);
    assert.equal(inspect(key), 'MessageKey {}');
    assert.equal(JSON.stringify(key), '{}');
    assert.deepEqual(Object.keys(structuredClone(key)), ['spki']);
  });

  test('whose thread has ended starts another one', async (t) => {
    const key = open(t);
    await key.start().terminate();
    assert.deepEqual(Buffer.from(await key.decrypt(publicEncrypt(pkcs1, plain), 'pkcs1')), plain);
  });

  test('that is closed refuses, and what waits with it', async () => {
    const key = new MessageKey(privateKey);
    const waiting = key
      .decrypt(publicEncrypt(pkcs1, plain), 'pkcs1')
      .then(Boolean, (error: unknown) => error);
    await key.close();
    assert.ok([true].includes((await waiting) as boolean) || isSallyportError(await waiting, 'store'));
    await assert.rejects(key.decrypt(plain, 'pkcs1'), { code: 'store' });
  });

  test('is RSA, of 2048 bits at least', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    for (const other of [weak, ec]) assert.throws(() => new MessageKey(other), { code: 'key' });
  });
});
