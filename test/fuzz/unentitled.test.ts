import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { wrongWith } from './unentitled.ts';

describe('a certificate that a device is not entitled to', () => {
  const own = Buffer.from('its key');
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const entitled = {
    template: 'device',
    subjectAltName: [{ kind: 'dns', value: 'a.example.org' }],
    madeKeys: false,
    spkis: [own],
  } as const;
  const right = {
    device: 'a',
    template: 'device',
    subject: 'CN=a',
    subjectAltName: ['DNS:a.example.org'],
    spki: sha256(own),
  };

  test('is none that is right', () => {
    assert.equal(wrongWith(right, entitled), null);
    assert.equal(wrongWith({ ...right, spki: '00' }, { ...entitled, madeKeys: true }), null);
  });

  const wrong = [
    ['another template', { template: 'server' }, /template server/],
    ['another subject', { subject: 'CN=b' }, /subject CN=b/],
    ['another name', { subjectAltName: ['DNS:b.example.org'] }, /names DNS:b/],
    ['one name more', { subjectAltName: ['DNS:a.example.org', 'DNS:b.example.org'] }, /names/],
    ['a key that is not its own', { spki: sha256(Buffer.from('another')) }, /key/],
  ] as const;
  for (const [name, change, words] of wrong) {
    test(`is one with ${name}`, () => assert.match(wrongWith({ ...right, ...change }, entitled)!, words));
  }

  test('is any where nobody approved the device, or nobody knows it', () => {
    assert.match(wrongWith(right, { ...entitled, template: null })!, /template device/);
    assert.match(wrongWith(right, undefined)!, /none of ours/);
  });
});
