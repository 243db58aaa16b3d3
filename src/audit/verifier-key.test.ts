import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseVerifierKey, verifierKey, verifierKeyFor } from '#audit';
import { noteKey } from './note-key.fixture.ts';

/** C2SP signed-note, "Verifier keys", "Example". */
const example = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleSpki = Buffer.concat([
  Buffer.from('302a300506032b6570032100', 'hex'),
  Buffer.from('AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'base64').subarray(1),
]);

test('C2SP signed-note: the example verifier key is read and written', () => {
  const { name, keyId } = parseVerifierKey(example);
  assert.deepEqual({ name, keyId }, { name: 'example.com/foo', keyId: '530d903a' });
  assert.equal(verifierKey('example.com/foo', exampleSpki), example);
});

test('base64 with plus signs is read', () => {
  let key = noteKey();
  while (key.vkey.split('+').length === 3) key = noteKey();
  assert.equal(parseVerifierKey(key.vkey).keyId, key.verifier.keyId);
});

test('a key ID that is not that of name and public key is refused', () => {
  assert.throws(() => parseVerifierKey(example.replace('foo', 'bar')), { code: 'malformed' });
  assert.throws(() => parseVerifierKey(example.replace('530d903a', '530d903b')), { code: 'malformed' });
});

test('what does not read as a verifier key is refused', () => {
  for (const vkey of [
    '',
    'example.com/foo',
    'example.com/foo+530d903a',
    'example.com/foo+530d903a+',
    example.replace('530d903a', '530D903A'),
    example.replace('530d903a', '30d903a'),
    example.replace('example.com/', 'example com/'),
    `+${example.slice(example.indexOf('+') + 1)}`,
    `${example}\n`,
    `${example}=`,
    example.slice(0, -4),
  ]) {
    assert.throws(() => parseVerifierKey(vkey), { code: 'malformed' }, vkey);
  }
});

test('types other than Ed25519 are unsupported', () => {
  const ecdsa = Buffer.concat([Buffer.of(2), Buffer.alloc(32)]).toString('base64');
  assert.throws(() => parseVerifierKey(`example.com/foo+530d903a+${ecdsa}`), { code: 'unsupported' });
});

test('only an Ed25519 SubjectPublicKeyInfo becomes a verifier key, under a name that is one', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  assert.throws(() => verifierKey('example.com/foo', spki), { code: 'unsupported' });
  for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u2003b', 'a\u0001b', 'a\ud800b']) {
    assert.throws(() => verifierKey(name, exampleSpki), { code: 'malformed' }, JSON.stringify(name));
  }
  assert.match(verifierKey('журнал.example/аудит', exampleSpki), /^журнал\.example\/аудит\+[0-9a-f]{8}\+/);
});

test('a key noted under the first name of a log checks what came after a restore, and no other name', () => {
  const restored = 'example.com/foo/restored-20261122-abcdefgh';
  assert.equal(verifierKeyFor(restored, example), verifierKey(restored, exampleSpki));
  assert.equal(verifierKeyFor('example.com/foo', verifierKey(restored, exampleSpki)), example);
  for (const origin of ['example.com/foo', 'example.com/bar', 'example.com/foo/other']) {
    assert.equal(verifierKeyFor(origin, example), example);
  }
});
