import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { admitRequestedNames, type RequestedNameRule } from '#ca';
import { canonicalGivenName, isEverOrderable } from './given-name.ts';
import { isWithinNames } from './order.ts';

const dns = (within: string, wildcard = false): RequestedNameRule => ({
  kind: 'dns',
  within,
  maximum: 3,
  wildcard,
});
const templateOf = (...subjectAltName: readonly RequestedNameRule[]) => ({
  request: { ignoredSubjectAttributes: [], subjectAltName },
});

suite('a name that an account is given', () => {
  test('has one spelling', () => {
    for (const [text, name] of [
      ['WWW.Example.org', 'www.example.org'],
      ['.Example.org', '.example.org'],
      ['*.Example.org', '*.example.org'],
      ['10.0.0.7', '10.0.0.7'],
      ['2001:DB8::0:7', '2001:db8::7'],
    ] as const) {
      assert.equal(canonicalGivenName(text), name, text);
    }
  });

  test('is nothing else', () => {
    for (const text of [
      '',
      '.',
      '..example.org',
      '.*.example.org',
      '*',
      '*.*.example.org',
      'www.example.org.',
      'https://www.example.org',
      'ida@example.org',
      '10.0.0.0/8',
      '.10.0.0.7',
      '010.0.0.7',
      'fe80::1%eth0',
      'a b',
      `.${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
    ]) {
      assert.equal(canonicalGivenName(text), null, text);
    }
  });

  test('arbitrary text gives a name that stays what it is, or none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const name = canonicalGivenName(text);
        assert.equal(name === null || canonicalGivenName(name) === name, true);
      }),
    );
  });
});

suite('what a template would ever admit', () => {
  const address: RequestedNameRule = { kind: 'ip', within: '10.0.0.0/8', maximum: 1 };
  const template = templateOf(dns('Web.example.org'), address);

  for (const [given, admitted] of [
    ['web.example.org', true],
    ['a.web.example.org', true],
    ['example.org', false],
    ['aweb.example.org', false],
    ['*.web.example.org', false],
    ['10.0.0.7', true],
    ['192.0.2.7', false],
    // Every name below it, of which the template admits some, or all.
    ['.example.org', true],
    ['.org', true],
    ['.web.example.org', true],
    ['.a.web.example.org', true],
    ['.b.example.org', false],
    ['.eb.example.org', false],
    ['.0.0.7', false],
  ] as const) {
    test(`${given}: ${admitted}`, () => assert.equal(isEverOrderable(template, given), admitted));
  }

  test('is a wildcard where a rule says so', () => {
    assert.ok(isEverOrderable(templateOf(dns('example.org', true)), '*.example.org'));
  });

  test('is nothing where there is no rule', () => {
    for (const given of ['www.example.org', '.example.org', '10.0.0.7']) {
      assert.ok(!isEverOrderable(templateOf(), given));
    }
  });

  test('is what it admits of an order within what was given', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const dotted = fc.tuple(fc.constantFrom('', '.'), host).map((parts) => parts.join(''));
    fc.assert(
      fc.property(host, dotted, host, (within, given, ordered) => {
        const { request } = templateOf(dns(within));
        const name = { kind: 'dns', value: ordered } as const;
        const isAdmitted = admitRequestedNames(request.subjectAltName, [], [name]).length > 0;
        if (isAdmitted && isWithinNames({ type: 'dns', value: ordered }, [given])) {
          assert.ok(isEverOrderable({ request }, given));
        }
      }),
    );
  });
});
