import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { nameAttributeArbitrary } from './arbitraries.fixture.ts';
import { isPrintableText, parseString } from './character-string.ts';
import { readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { assertRefused, hex } from './malformed.fixture.ts';

function parse(bytes: string): unknown {
  return parseString(readDer(hex(bytes)), 100, 'text');
}

suite('strings', () => {
  test('parse(encode(s)) is s in every type', () => {
    fc.assert(
      fc.property(nameAttributeArbitrary, ({ value, encoding }) => {
        const element = readDer(der.string(value, encoding));
        assert.deepEqual(parseString(element, 1000, 'text'), { value, encoding });
      }),
    );
  });

  test('TeletexString is read as ISO 8859-1, BMPString as UCS-2, UniversalString as UCS-4', () => {
    assert.deepEqual(parse('14 02 fc 41'), { value: 'üA', encoding: 'teletex' });
    assert.deepEqual(parse('1e 04 00 fc 20 ac'), { value: 'ü€', encoding: 'bmp' });
    assert.deepEqual(parse('1c 04 00 01 f5 12'), { value: '🔒', encoding: 'universal' });
  });

  test('a byte order mark is a character like others', () => {
    assert.deepEqual(parse('0c 04 ef bb bf 41'), { value: '\u{feff}A', encoding: 'utf8' });
  });

  const refused: Readonly<Record<string, string>> = {
    'NUL in UTF8String (it ends the text for C programs)': '0c 03 61 00 62',
    'NUL after a character of two octets': '0c 03 c3 bc 00',
    'NUL in IA5String': '16 01 00',
    'NUL in TeletexString': '14 01 00',
    'NUL in BMPString': '1e 02 00 00',
    'overlong UTF-8': '0c 02 c1 81',
    'a surrogate in UTF-8': '0c 03 ed a0 80',
    'UTF-8 cut off': '0c 01 c3',
    'an asterisk in PrintableString': '13 01 2a',
    'an at sign in PrintableString': '13 01 40',
    'a letter in NumericString': '12 01 41',
    'a high octet in IA5String': '16 01 80',
    'a BMPString of three octets': '1e 03 00 41 00',
    'a surrogate in BMPString': '1e 02 d8 00',
    'a UniversalString beyond Unicode': '1c 04 00 11 00 00',
    'a UniversalString of two octets': '1c 02 00 41',
  };
  for (const [what, bytes] of Object.entries(refused)) {
    test(`${what} is refused`, () => assertRefused('malformed', () => parse(bytes)));
  }

  test('other types are unsupported, long ones too large', () => {
    assertRefused('unsupported', () => parse('04 01 41'));
    assertRefused('unsupported', () => parse('1a 01 41'));
    assertRefused('too-large', () => parseString(readDer(der.utf8String('x'.repeat(101))), 100, 'text'));
  });

  test('a character that the type does not have is not written', () => {
    assertRefused('malformed', () => der.printableString('a_b'));
    assertRefused('malformed', () => der.ia5String('ü'));
    assertRefused('malformed', () => der.utf8String('a\0b'));
    assertRefused('malformed', () => der.utf8String('\u{d800}'));
    assertRefused('malformed', () => der.string('🔒', 'bmp'));
    assertRefused('malformed', () => der.string('€', 'teletex'));
    assertRefused('malformed', () => der.string('x', 'numeric'));
  });

  test('PrintableString has letters, digits and eleven marks with the space', () => {
    assert.equal(isPrintableText("AZaz09 '()+,-./:=?"), true);
    for (const character of '_@*&"#!<>ü') assert.equal(isPrintableText(character), false);
  });
});
