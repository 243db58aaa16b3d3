import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readDer } from './der-node.ts';
import { tags } from './der-tags.ts';
import { der } from './der-writer.ts';
import { assertRefused } from './malformed.fixture.ts';

function parse(tag: number, text: string): number {
  const content = new TextEncoder().encode(text);
  return readDer(Uint8Array.of(tag, content.length, ...content)).time('time');
}

suite('times (RFC 5280 section 4.1.2.5)', () => {
  const valid: readonly [number, string, string][] = [
    [tags.utcTime, '500101000000Z', '1950-01-01T00:00:00Z'],
    [tags.utcTime, '491231235959Z', '2049-12-31T23:59:59Z'],
    [tags.utcTime, '000229000000Z', '2000-02-29T00:00:00Z'],
    [tags.utcTime, '700101000000Z', '1970-01-01T00:00:00Z'],
    [tags.generalizedTime, '20500101000000Z', '2050-01-01T00:00:00Z'],
    [tags.generalizedTime, '99991231235959Z', '9999-12-31T23:59:59Z'],
    [tags.generalizedTime, '00010101000000Z', '0001-01-01T00:00:00Z'],
    [tags.generalizedTime, '24000229120000Z', '2400-02-29T12:00:00Z'],
  ];
  for (const [tag, text, iso] of valid) {
    test(`${text} is ${iso}`, () => assert.equal(new Date(parse(tag, text)).getTime(), Date.parse(iso)));
  }

  const invalid: readonly [number, string][] = [
    [tags.utcTime, '5001010000Z'],
    [tags.utcTime, '500101000000+0000'],
    [tags.utcTime, '500101000000'],
    [tags.utcTime, '500101000000z'],
    [tags.utcTime, '500001000000Z'],
    [tags.utcTime, '501301000000Z'],
    [tags.utcTime, '500100000000Z'],
    [tags.utcTime, '500132000000Z'],
    [tags.utcTime, '500431000000Z'],
    [tags.utcTime, '010229000000Z'],
    [tags.utcTime, '500101240000Z'],
    [tags.utcTime, '500101006000Z'],
    [tags.utcTime, '500101000060Z'],
    [tags.utcTime, '5001010000 1Z'],
    [tags.utcTime, '20500101000000Z'],
    [tags.generalizedTime, '500101000000Z'],
    [tags.generalizedTime, '20500101000000.5Z'],
    [tags.generalizedTime, '21000229000000Z'],
    [tags.generalizedTime, '2050010100000:Z'],
    [tags.utf8String, '500101000000Z'],
  ];
  for (const [tag, text] of invalid) {
    test(`${text} with tag ${tag} is refused`, () => assertRefused('malformed', () => parse(tag, text)));
  }

  test('parse(encode(t)) is t, cut to the second', () => {
    const earliest = Date.UTC(1, 0, 1) - 1900 * 365.25 * 86_400_000;
    fc.assert(
      fc.property(fc.integer({ min: earliest, max: Date.UTC(9999, 11, 31) }), (milliseconds) => {
        assert.equal(readDer(der.time(milliseconds)).time('time'), Math.floor(milliseconds / 1000) * 1000);
      }),
    );
  });

  test('UTCTime to 2049, GeneralizedTime from 2050', () => {
    assert.equal(der.time(Date.UTC(2049, 11, 31, 23, 59, 59))[0], tags.utcTime);
    assert.equal(der.time(Date.UTC(2050, 0, 1))[0], tags.generalizedTime);
  });

  test('what has no year from 0 to 9999 is not written', () => {
    for (const milliseconds of [Number.NaN, Infinity, Date.UTC(10_000, 0, 1), -(10 ** 15)]) {
      assertRefused('malformed', () => der.time(milliseconds));
    }
  });
});
