import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandNamePattern, identifierOf, parseNamePattern } from './name-pattern.ts';

const device = {
  id: 'd1',
  serialNumber: null,
  identifiers: { dnsName: 'd1.example.org', empty: '', id: 'other' },
};

function expand(pattern: string): ReturnType<typeof expandNamePattern> {
  const parts = parseNamePattern(pattern);
  assert.ok(parts);
  return expandNamePattern(parts, device);
}

test('placeholders are filled, literal text stays', () => {
  assert.deepEqual(expand('a {device.id} b {device.dnsName}.'), { value: 'a d1 b d1.example.org.' });
  assert.deepEqual(expand('plain'), { value: 'plain' });
  assert.deepEqual(expand(''), { value: '' });
});

test('{device.id} is the id, also where an identifier has that name', () => {
  assert.deepEqual(expand('{device.id}'), { value: 'd1' });
});

test('what a device inserts is not expanded again', () => {
  const parts = parseNamePattern('{device.note}');
  assert.ok(parts);
  const named = { ...device, identifiers: { note: '{device.id}' } };
  assert.deepEqual(expandNamePattern(parts, named), { value: '{device.id}' });
});

test('an identifier that is absent or empty is missing, also the serial number', () => {
  assert.deepEqual(expand('{device.tag}'), { missing: 'tag' });
  assert.deepEqual(expand('{device.empty}'), { missing: 'empty' });
  assert.deepEqual(expand('{device.serialNumber}'), { missing: 'serialNumber' });
});

test('what every object has is no identifier', () => {
  for (const name of ['constructor', 'toString', '__proto__']) {
    assert.equal(identifierOf(device, name), undefined);
  }
});

test('a brace outside a placeholder is refused', () => {
  for (const pattern of [
    '{',
    '}',
    '{device.}',
    '{device.a b}',
    '{id}',
    '{{device.id}}',
    '{device.id',
    '{device.1}',
  ]) {
    assert.equal(parseNamePattern(pattern), null, pattern);
  }
});
