import { isSallyportError } from '#errors';
import { signatureAlgorithmIdentifier, verifySignature } from '#x509';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { requireClient } from '../../test/clients.ts';
import { keyAlgorithms } from './algorithms.ts';
import { generateSoftwareKey } from './generate-software-key.ts';
import { loadSoftwareKey } from './load-software-key.ts';
import { SoftwareKey } from './software-key.ts';

const data = new TextEncoder().encode('to be signed');
const passphrase = 'correct horse battery staple';

for (const algorithm of keyAlgorithms) {
  test(`${algorithm}: signs as X.509 wants it, also after a round trip through encrypted PKCS#8`, async () => {
    const key = await generateSoftwareKey(algorithm);
    assert.equal(key.algorithm, algorithm);
    const pem = key.toEncryptedPkcs8(passphrase);
    const loaded = await loadSoftwareKey(pem, passphrase);
    assert.equal(loaded.algorithm, algorithm);
    assert.deepEqual(loaded.spki, key.spki);
    for (const each of [key, loaded]) {
      const signature = await each.sign(data);
      assert.ok(verifySignature(signatureAlgorithmIdentifier(algorithm), key.spki, data, signature));
    }
  });
}

test('a key is written encrypted by scrypt and AES-256-CBC, and OpenSSL opens it', async (t) => {
  const openssl = requireClient(t, 'openssl');
  if (openssl === null) return;
  const key = await generateSoftwareKey('ec-p256');
  const pem = key.toEncryptedPkcs8(passphrase);
  assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/u);
  const structure = execFileSync(openssl, ['asn1parse', '-i'], { input: pem, encoding: 'utf8' });
  for (const name of ['PBES2', 'scrypt', 'aes-256-cbc']) assert.ok(structure.includes(name), name);
  const spki = execFileSync(
    openssl,
    ['pkey', '-passin', `pass:${passphrase}`, '-pubout', '-outform', 'DER'],
    {
      input: pem,
    },
  );
  assert.deepEqual(new Uint8Array(spki), key.spki);
  assert.notEqual(key.toEncryptedPkcs8(passphrase), pem, 'salt and IV are new each time');
});

test('a key encrypted by OpenSSL itself loads', async () => {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  assert.equal((await loadSoftwareKey(privateKey, passphrase)).algorithm, 'ed25519');
});

test('a wrong passphrase is a key error that says nothing about the key', async () => {
  const pem = (await generateSoftwareKey('ec-p384')).toEncryptedPkcs8(passphrase);
  await assert.rejects(loadSoftwareKey(pem, 'wrong'), (error) => {
    assert.ok(isSallyportError(error, 'key'));
    assert.equal(error.cause, undefined);
    assert.equal(error.message, 'the key file does not open; check its passphrase');
    assert.doesNotMatch(inspect(error), /ec-p384|secp384|BEGIN|wrong/u);
    return true;
  });
});

test('a damaged file answers like a wrong passphrase', async () => {
  const pem = (await generateSoftwareKey('ec-p256')).toEncryptedPkcs8(passphrase);
  const lines = pem.split('\n');
  const damaged = [...lines.slice(0, 2), ...lines.slice(3)].join('\n');
  await assert.rejects(loadSoftwareKey(damaged, passphrase), {
    code: 'key',
    message: /check its passphrase/u,
  });
});

test('a key in the clear is refused, and so is an empty passphrase', async () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await assert.rejects(loadSoftwareKey(privateKey, passphrase), {
    code: 'key',
    message: /ENCRYPTED PRIVATE KEY/u,
  });
  const key = await generateSoftwareKey('ed25519');
  assert.throws(() => key.toEncryptedPkcs8(''), { code: 'key' });
  await assert.rejects(loadSoftwareKey(key.toEncryptedPkcs8(passphrase), ''), { code: 'key' });
});

test('keys that cannot sign here are refused without a word about them', () => {
  const strangers = [
    generateKeyPairSync('rsa', { modulusLength: 1024 }),
    generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    generateKeyPairSync('x25519'),
    generateKeyPairSync('ed448'),
  ];
  for (const { privateKey } of strangers) {
    assert.throws(
      () => new SoftwareKey(privateKey),
      (error) => {
        assert.ok(isSallyportError(error, 'key'));
        assert.doesNotMatch(error.message, /1024|secp|521|25519 key|448/u);
        return true;
      },
    );
  }
});

test('whatever prints, copies or posts a key shows its algorithm at most', async () => {
  const key = await generateSoftwareKey('ec-p256');
  assert.equal(inspect(key), "SoftwareKey { algorithm: 'ec-p256' }");
  assert.equal(
    inspect({ key }, { depth: 9, showHidden: true }),
    "{ key: SoftwareKey { algorithm: 'ec-p256' } }",
  );
  assert.equal(JSON.stringify({ key }), '{"key":{"algorithm":"ec-p256"}}');
  const spki = key.spki;
  assert.deepEqual(structuredClone(key) as unknown, { algorithm: 'ec-p256', spki });
  assert.deepEqual({ ...key }, { algorithm: 'ec-p256', spki });
});

test('only what is quicker than the thread pool is signed on the calling thread', async () => {
  for (const [algorithm, waits] of [
    ['rsa-4096', true],
    ['ml-dsa-65', true],
    ['ec-p384', true],
    ['ec-p256', false],
    ['ed25519', false],
  ] as const) {
    const key = await generateSoftwareKey(algorithm);
    let signed = false;
    const signing = key.sign(data).then(() => (signed = true));
    for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
    assert.equal(signed, !waits, algorithm);
    await signing;
  }
});
