import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlternativeNameKind } from './alternative-name.ts';
import { ruleAdmits } from './requested-name-rule.ts';

function admits(kind: AlternativeNameKind, within: string, value: string): boolean {
  return ruleAdmits({ kind, within, maximum: 1 }, { kind, value });
}

test('dns: the name itself or below it, at a label', () => {
  assert.ok(admits('dns', 'lab.example.org', 'lab.example.org'));
  assert.ok(admits('dns', 'Lab.Example.org', 'a.b.lab.example.org'));
  assert.ok(!admits('dns', 'lab.example.org', 'evillab.example.org'));
  assert.ok(!admits('dns', 'lab.example.org', 'lab.example.org.evil.test'));
  assert.ok(!admits('dns', 'lab.example.org', 'example.org'));
});

test('email: at this domain, not below it', () => {
  assert.ok(admits('email', 'Example.org', 'a@example.org'));
  assert.ok(!admits('email', 'example.org', 'a@sub.example.org'));
  assert.ok(!admits('email', 'example.org', 'a@evilexample.org'));
});

test('uri: by prefix, and a host that the rule leaves open ends where the rule ends', () => {
  assert.ok(admits('uri', 'urn:dev:', 'urn:dev:mac:0024befffe804ff1'));
  assert.ok(admits('uri', 'https://example.org/devices/', 'https://example.org/devices/7'));
  assert.ok(admits('uri', 'https://example.org', 'https://example.org'));
  assert.ok(admits('uri', 'https://example.org', 'https://example.org/devices/7'));
  assert.ok(!admits('uri', 'https://example.org', 'https://example.org.evil.test/'));
  assert.ok(!admits('uri', 'https://example.org', 'https://example.org@evil.test/'));
  assert.ok(!admits('uri', 'https://example.org', 'https://example.org:443@evil.test/'));
  assert.ok(!admits('uri', 'https://example.org/devices/', 'https://example.org/admins/7'));
});

test('ip: inside the range, of its own family', () => {
  assert.ok(admits('ip', '192.0.2.0/24', '192.0.2.7'));
  assert.ok(!admits('ip', '192.0.2.0/24', '192.0.3.7'));
  assert.ok(admits('ip', '2001:db8::/32', '2001:db8::1'));
  assert.ok(!admits('ip', '2001:db8::/32', '2001:db9::1'));
  assert.ok(!admits('ip', '192.0.2.0/24', '::ffff:c000:207'));
  assert.ok(!admits('ip', '::/0', '192.0.2.7'));
});

test('a rule that makes no sense admits nothing', () => {
  assert.ok(!admits('dns', '', 'a.example'));
  assert.ok(!admits('uri', '', 'urn:a:b'));
  for (const within of ['192.0.2.0', '192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/8/8', 'all/0', '/0']) {
    assert.ok(!admits('ip', within, '192.0.2.7'), within);
  }
});

test('a rule is for its own kind only', () => {
  assert.ok(!ruleAdmits({ kind: 'uri', within: 'a', maximum: 1 }, { kind: 'dns', value: 'a' }));
});
