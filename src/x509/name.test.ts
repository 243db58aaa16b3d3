import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as asn1X509 from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { nameArbitrary } from './arbitraries.fixture.ts';
import { der } from './der-writer.ts';
import { assertRefused } from './malformed.fixture.ts';
import { attributeTypes } from './name-attributes.ts';
import { formatName } from './name-text.ts';
import { type Name, buildName, encodeName, parseName, sameName } from './name.ts';

const commonName = '2.5.4.3';
const one = (value: string, encoding: 'utf8' | 'printable' = 'utf8'): Name => [
  [{ type: commonName, value, encoding }],
];

suite('names', () => {
  test('parse(encode(name)) is name', () => {
    fc.assert(fc.property(nameArbitrary, (name) => assert.deepEqual(parseName(encodeName(name)), name)));
  });

  test('survive JSON', () => {
    fc.assert(fc.property(nameArbitrary, (name) => assert.deepEqual(JSON.parse(JSON.stringify(name)), name)));
  });

  test('the oracle reads the same types and values', () => {
    const name = buildName([
      { type: 'countryName', value: 'CH' },
      { type: 'organizationName', value: 'Zürich & Söhne' },
      { type: 'domainComponent', value: 'example' },
      { type: 'commonName', value: 'device-1' },
    ]);
    const read = AsnConvert.parse(encodeName(name), asn1X509.Name);
    assert.deepEqual(
      Array.from(read, (rdn) => Array.from(rdn, ({ type, value }) => [type, value.toString()])),
      name.map((rdn) => rdn.map(({ type, value }) => [type, value])),
    );
  });

  test('an empty RDN, an empty set and a missing value are refused', () => {
    assertRefused('malformed', () => encodeName([[]]));
    assertRefused('malformed', () => parseName(der.sequence(der.set())));
    assertRefused('malformed', () => parseName(der.sequence(der.set(der.sequence(der.oid(commonName))))));
    assertRefused('malformed', () => parseName(der.set()));
  });

  test('more than 64 attributes and values over 2048 octets are too large', () => {
    const rdn = one('x')[0] ?? [];
    assert.equal(parseName(encodeName(Array.from({ length: 64 }, () => rdn))).length, 64);
    assertRefused('too-large', () => parseName(encodeName(Array.from({ length: 65 }, () => rdn))));
    assertRefused('too-large', () => parseName(encodeName(one('x'.repeat(2049)))));
  });

  test('a value that is no string is unsupported', () => {
    const name = der.sequence(der.set(der.sequence(der.oid(commonName), der.integer(1))));
    assertRefused('unsupported', () => parseName(name));
  });
});

suite('buildName', () => {
  test('takes names of the table and dotted OIDs, with the encodings of RFC 5280', () => {
    const name = buildName([
      { type: 'countryName', value: 'CH' },
      { type: 'serialNumber', value: 'A-1' },
      { type: 'emailAddress', value: 'a@example.test' },
      { type: 'domainComponent', value: 'test' },
      { type: '1.2.3.4', value: 'ü' },
    ]);
    assert.deepEqual(
      name.map((rdn) => rdn.map(({ encoding }) => encoding)),
      [['printable'], ['printable'], ['ia5'], ['ia5'], ['utf8']],
    );
  });

  test('refuses an unknown name, names of Object.prototype, an empty value and a character that does not fit', () => {
    assertRefused('malformed', () => buildName([{ type: 'commonname', value: 'x' }]));
    assertRefused('malformed', () => buildName([{ type: 'constructor', value: 'x' }]));
    assertRefused('malformed', () => buildName([{ type: '__proto__', value: 'x' }]));
    assertRefused('malformed', () => buildName([{ type: 'commonName', value: '' }]));
    assertRefused('malformed', () => buildName([{ type: 'serialNumber', value: 'a_b' }]));
  });

  test('the table has each OID once', () => {
    const values = Object.values(attributeTypes);
    assert.equal(new Set(values).size, values.length);
  });
});

suite('sameName', () => {
  const pair = (a: string, b: string): Name => [
    [
      { type: commonName, value: a, encoding: 'utf8' },
      { type: '2.5.4.5', value: b, encoding: 'printable' },
    ],
  ];
  test('string types do not count, order inside an RDN neither', () => {
    assert.equal(sameName(one('x'), one('x', 'printable')), true);
    assert.equal(sameName(pair('x', 'y'), [(pair('x', 'y')[0] ?? []).toReversed()]), true);
  });

  test('letter case, spaces, types, order and number of RDNs count', () => {
    assert.equal(sameName(one('x'), one('X')), false);
    assert.equal(sameName(one('x'), one('x ')), false);
    assert.equal(sameName(one('x'), [[{ type: '2.5.4.4', value: 'x', encoding: 'utf8' }]]), false);
    assert.equal(sameName([...one('x'), ...one('y')], [...one('y'), ...one('x')]), false);
    assert.equal(sameName([...one('x'), ...one('y')], one('x')), false);
    assert.equal(
      sameName([...one('x'), ...one('y')], [[...(one('x')[0] ?? []), ...(one('y')[0] ?? [])]]),
      false,
    );
    assert.equal(sameName(pair('x', 'y'), pair('y', 'x')), false);
  });

  test('is decided by types and values alone', () => {
    fc.assert(
      fc.property(nameArbitrary, nameArbitrary, (a, b) => {
        const plain = (name: Name) =>
          name.map((rdn) => rdn.map(({ type, value }) => `${type}\0${value}`).toSorted());
        assert.equal(sameName(a, b), JSON.stringify(plain(a)) === JSON.stringify(plain(b)));
        assert.equal(sameName(a, structuredClone(a)), true);
      }),
    );
  });
});

suite('formatName (RFC 4514)', () => {
  const cases: readonly [string, string][] = [
    ['Sue, Grabbit and Runn', 'CN=Sue\\, Grabbit and Runn'],
    ['a+b"c\\d<e>f;g', 'CN=a\\+b\\"c\\\\d\\<e\\>f\\;g'],
    ['#x', 'CN=\\#x'],
    [' x ', 'CN=\\ x\\ '],
    ['x#y z', 'CN=x#y z'],
    ['Lučić', 'CN=Lučić'],
    ['Before\rAfter\n', 'CN=Before\\0dAfter\\0a'],
    ['a\u{202e}b\u{2028}', 'CN=a\\e2\\80\\aeb\\e2\\80\\a8'],
  ];
  for (const [value, text] of cases) {
    test(`section 2.4: ${JSON.stringify(value)}`, () => assert.equal(formatName(one(value)), text));
  }

  test('section 2.1: the last RDN comes first, members of one with a plus', () => {
    const name = buildName([
      { type: 'domainComponent', value: 'net' },
      { type: 'domainComponent', value: 'example' },
      { type: 'userId', value: 'jsmith' },
    ]);
    assert.equal(formatName(name), 'UID=jsmith,DC=example,DC=net');
    assert.equal(formatName([[...(name[0] ?? []), ...(name[2] ?? [])]]), 'DC=net+UID=jsmith');
    assert.equal(formatName([]), '');
  });

  test('section 2.4: a type without a name has its value as hexadecimal', () => {
    assert.equal(
      formatName(buildName([{ type: '1.3.6.1.4.1.1466.0', value: 'Hi' }])),
      '1.3.6.1.4.1.1466.0=#0c024869',
    );
  });
});
