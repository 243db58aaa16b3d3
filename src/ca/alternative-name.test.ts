import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AlternativeNameKind,
  canonicalAlternativeName,
  canonicalRequestedName,
  isSidUri,
} from './alternative-name.ts';

const canonical = (kind: AlternativeNameKind, value: string) =>
  canonicalAlternativeName(kind, value)?.value ?? null;

test('dns: LDH names in lower case (RFC 5280 section 4.2.1.6, RFC 1034 section 3.5)', () => {
  assert.equal(canonical('dns', 'Sensor-7.Example.ORG'), 'sensor-7.example.org');
  assert.equal(canonical('dns', 'xn--bcher-kva.example'), 'xn--bcher-kva.example');
  assert.equal(canonical('dns', 'printer1'), 'printer1');
  assert.equal(canonical('dns', `${'a'.repeat(63)}.example`), `${'a'.repeat(63)}.example`);
});

test('dns: wildcards, trailing dots, underscores, addresses and overlong names are refused', () => {
  const refused = [
    '',
    '.',
    '*',
    '*.example.org',
    'a.*.org',
    'example.org.',
    '.example.org',
    'a..b',
    '-a.example',
    'a-.example',
    'a_b.example',
    'a b.example',
    'bücher.example',
    'a.example\0.evil.test',
    'a.example\n',
    '10.0.0.1',
    '1',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}a`,
    '\u212a.example',
  ];
  for (const value of refused) assert.equal(canonical('dns', value), null, JSON.stringify(value));
});

test('email: one mailbox, its domain in lower case (RFC 5280 section 7.5)', () => {
  assert.equal(canonical('email', 'Alice.B@Example.ORG'), 'Alice.B@example.org');
  const refused = [
    'a',
    'a@\u212a.example',
    '@b',
    'a@',
    'a@b@c.example',
    'a b@c.example',
    '"a"@c.example',
    '.a@c.example',
    'a@*.example',
  ];
  for (const value of refused) assert.equal(canonical('email', value), null, value);
});

test('uri: absolute, in the characters of RFC 3986, without dot segments', () => {
  for (const value of [
    'urn:uuid:f81d4fae',
    'https://a.example/x?y=%20#z',
    'spiffe://trust/a/b',
    'tag:x,2022:y',
  ]) {
    assert.equal(canonical('uri', value), value);
  }
  const refused = [
    '/a',
    'a',
    'a:',
    '//a.example/',
    'https://a.example/ b',
    'https://a.example/%zz',
    'https://a.example/a/../b',
    'https://a.example/..',
    'https://a.example/%2E%2e/b',
    'https://a.example/./b',
    'urn:x:é',
    'urn:x:\0',
    `urn:x:${'a'.repeat(2048)}`,
  ];
  for (const value of refused) assert.equal(canonical('uri', value), null, JSON.stringify(value));
});

test('ip: one spelling an address, no zones, no prefixes', () => {
  assert.equal(canonical('ip', '192.0.2.1'), '192.0.2.1');
  assert.equal(canonical('ip', '2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  for (const value of ['192.0.2.1/24', '192.0.2.256', '010.0.0.1', 'fe80::1%eth0', '1', '::g']) {
    assert.equal(canonical('ip', value), null, value);
  }
});

test('requested names of other kinds have no canonical form', () => {
  assert.equal(canonicalRequestedName({ kind: 'directoryName', value: [] }), null);
  assert.equal(
    canonicalRequestedName({ kind: 'otherName', type: '1.3.6.1.4.1.311.20.2.3', value: 'DAFh' }),
    null,
  );
  assert.equal(canonicalRequestedName({ kind: 'registeredId', value: '1.2.3' }), null);
});

test('a SID URI is one in any letter case', () => {
  assert.ok(isSidUri({ kind: 'uri', value: 'tag:microsoft.com,2022-09-14:sid:S-1-5-21-1' }));
  assert.ok(isSidUri({ kind: 'uri', value: 'TAG:Microsoft.com,2022-09-14:SID:S-1-5-21-1' }));
  assert.ok(!isSidUri({ kind: 'uri', value: 'tag:microsoft.com,2022-09-14:other:S-1' }));
  assert.ok(!isSidUri({ kind: 'dns', value: 'tag:microsoft.com,2022-09-14:sid:S-1' }));
});
