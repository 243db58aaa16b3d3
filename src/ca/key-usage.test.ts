import { keyUsages } from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usagesFor } from './key-usage.ts';

const usages = ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'];

test('EC keys do not encipher (RFC 8813 section 3)', () => {
  assert.deepEqual(usagesFor(usages, 'ec-p256'), ['digitalSignature', 'nonRepudiation', 'keyAgreement']);
});

test('RSA keys do not agree (RFC 3279 section 2.3.1)', () => {
  assert.deepEqual(usagesFor(usages, 'rsa-2048'), usages.slice(0, 4));
});

test('Ed25519 and ML-DSA keys only sign (RFC 9295 section 3, RFC 9881 section 5)', () => {
  assert.deepEqual(usagesFor(usages, 'ed25519'), ['digitalSignature', 'nonRepudiation']);
  assert.deepEqual(usagesFor([...keyUsages], 'ml-dsa-65'), [
    'digitalSignature',
    'nonRepudiation',
    'keyCertSign',
    'cRLSign',
  ]);
});

test('nothing is added that the template does not name', () => {
  assert.deepEqual(usagesFor(['keyEncipherment'], 'ec-p384'), []);
});
