import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isAttestationTarget, parseTarget } from './target.ts';

suite('addresses', () => {
  test('name a template and one of the two messages', () => {
    assert.deepEqual(parseTarget('/attestation/ak/attest'), { operation: 'attest', template: 'ak' });
    assert.deepEqual(parseTarget('https://a.example/attestation/ak/secret?x=1'), {
      operation: 'secret',
      template: 'ak',
    });
  });

  for (const url of [
    '/attestation/attest',
    '/attestation/ak/attest/',
    '/attestation/ak/other',
    '/attestation/AK/attest',
    '/attestation/a/k/attest',
    '/attestation/__proto__/attest',
    '/x/attestation/ak/attest',
    '',
  ]) {
    test(`${url || '(none)'} is none`, () => assert.equal(parseTarget(url), null));
  }

  test('what begins so is answered here, and nothing else', () => {
    for (const url of ['/attestation', '/attestation/ak/x', '/attestation?x', 'https://a/attestation/']) {
      assert.equal(isAttestationTarget(url), true, url);
    }
    for (const url of ['/attestations', '/.well-known/est/cacerts', '/acme/attestation']) {
      assert.equal(isAttestationTarget(url), false, url);
    }
  });
});
