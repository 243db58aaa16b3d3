import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildName } from '#x509';
import { commonShortNames, plainSubject } from './plain-subject.ts';

const told = (...attributes: [type: string, value: string][]) =>
  plainSubject(
    buildName(attributes.map(([type, value]) => ({ type, value }))),
    'this client',
    commonShortNames,
  );

test('short names, in order', () => {
  assert.deepEqual(told(['organizationName', 'Example AG'], ['commonName', 'laptop-7.example.com']), [
    { name: 'O', value: 'Example AG' },
    { name: 'CN', value: 'laptop-7.example.com' },
  ]);
});

for (const value of [
  'a,b',
  'a=b',
  'a+b',
  'a"b',
  "a'b",
  'a/b',
  'a;b',
  'a$b',
  'a#b',
  'a\\b',
  ' a',
  'a ',
  '-a',
  'é',
]) {
  test(`what some parser may take for its own is refused, and not left out: ${JSON.stringify(value)}`, () => {
    assert.throws(() => told(['organizationName', 'Example'], ['commonName', value]), {
      code: 'usage',
      message: /this client cannot be told the subject's commonName/,
    });
  });
}

test('a type without a short name, and no subject at all, are refused', () => {
  assert.throws(() => told(['title', 'x']), { code: 'usage', message: /subject's title: it has no name/ });
  assert.throws(() => told(), { code: 'usage', message: /builds no subject/ });
});
