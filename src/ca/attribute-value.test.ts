import { attributeTypes } from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributeValueProblem, isAttributeEncoding } from './attribute-value.ts';

function problem(type: string, value: string): string | null {
  const oid = attributeTypes[type];
  assert.ok(oid);
  return attributeValueProblem(oid, value);
}

test('upper bounds of RFC 5280 appendix A.1 count characters, not octets or UTF-16 units', () => {
  const bounds = {
    commonName: 64,
    organizationName: 64,
    organizationalUnitName: 64,
    title: 64,
    localityName: 128,
    stateOrProvinceName: 128,
    userId: 256,
  };
  for (const [type, bound] of Object.entries(bounds)) {
    assert.equal(problem(type, '\u{1F512}'.repeat(bound)), null, type);
    assert.match(problem(type, 'x'.repeat(bound + 1)) ?? '', /longer than/u, type);
  }
  assert.match(problem('serialNumber', 'x'.repeat(65)) ?? '', /longer than 64/u);
  assert.match(problem('emailAddress', 'x'.repeat(256)) ?? '', /longer than 255/u);
});

test('what cannot be seen is refused: NUL, controls, bidirectional marks, joiners, lone surrogates', () => {
  for (const character of [
    '\0',
    '\n',
    '\u001b',
    '\u007f',
    '\u0085',
    '\u200b',
    '\u202e',
    '\u2028',
    '\ufeff',
    '\ud800',
  ]) {
    assert.match(problem('commonName', `a${character}b`) ?? '', /invisible/u, JSON.stringify(character));
  }
});

test('empty values and values with outer spaces are refused', () => {
  for (const value of ['', ' a', 'a ', '\u00a0a']) assert.notEqual(problem('commonName', value), null);
});

test('PrintableString and IA5String types hold their own alphabet only', () => {
  assert.equal(problem('serialNumber', "AZaz09 '()+,-./:=?"), null);
  for (const character of ['_', '*', '@', '#', 'é']) {
    assert.notEqual(problem('serialNumber', `a${character}`), null);
  }
  assert.equal(problem('emailAddress', 'a_b@example.org'), null);
  assert.notEqual(problem('emailAddress', 'é@example.org'), null);
});

test('a country is two capital letters', () => {
  assert.equal(problem('countryName', 'AT'), null);
  for (const value of ['at', 'A', 'AUT', 'A1']) assert.notEqual(problem('countryName', value), null);
});

test('string types of RFC 5280 section 4.1.2.4', () => {
  const { commonName = '', serialNumber = '', domainComponent = '' } = attributeTypes;
  assert.ok(isAttributeEncoding(commonName, 'utf8') && isAttributeEncoding(commonName, 'printable'));
  assert.ok(!isAttributeEncoding(commonName, 'teletex') && !isAttributeEncoding(commonName, 'bmp'));
  assert.ok(isAttributeEncoding(serialNumber, 'printable') && !isAttributeEncoding(serialNumber, 'utf8'));
  assert.ok(isAttributeEncoding(domainComponent, 'ia5') && !isAttributeEncoding(domainComponent, 'utf8'));
});
