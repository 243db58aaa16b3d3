import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { StringEncoding } from './character-string.ts';
import { matchesName, matchingKey } from './name-matching.ts';
import { type Name, sameName } from './name.ts';

const one = (value: string, encoding: StringEncoding = 'utf8', type = '2.5.4.3'): Name => [
  [{ type, value, encoding }],
];

suite('names match (RFC 5280 section 7.1)', () => {
  test('whatever string type, letter case and spaces they are written with', () => {
    for (const [a, b] of [
      [one('STM TPM ECC Root CA 01'), one('STM TPM ECC Root CA 01', 'printable')],
      [one('Root'), one('ROOT')],
      [one('Root CA'), one('  root   ca ')],
      [one('Z\u00fcrich'), one('Zu\u0308rich')],
      [one('\u212b'), one('\u00e5')],
    ] as const) {
      assert.equal(matchesName(a, b), true, JSON.stringify([a, b]));
    }
    const [x] = one('x');
    const [y] = one('y', 'utf8', '2.5.4.10');
    assert.equal(matchesName([[...x!, ...y!]], [[...y!, ...x!]]), true);
  });

  test('and no others', () => {
    const [x] = one('x');
    const [y] = one('y');
    for (const [a, b] of [
      [one('Root CA'), one('RootCA')],
      [one('Root'), one('Root', 'utf8', '2.5.4.10')],
      [one('Root'), one('R\u200boot')],
      // What a T61String means depends on who reads it.
      [one('Root', 'teletex'), one('Root')],
      [one('Root', 'ia5'), one('root', 'ia5')],
      [
        [x!, y!],
        [y!, x!],
      ],
      [[x!, y!], [[...x!, ...y!]]],
      [[x!], [x!, x!]],
      [[], [x!]],
    ] as const) {
      assert.equal(matchesName(a, b), false, JSON.stringify([a, b]));
    }
  });

  test('names that are the same match, and no text of one attribute is taken for two', () => {
    const value = fc.string({ unit: fc.constantFrom('a', 'A', ' ', '"', '[', ',', '\\'), maxLength: 8 });
    const name = fc.array(
      fc.array(
        fc.record({
          type: fc.constantFrom('2.5.4.3', '2.5.4.10'),
          value,
          encoding: fc.constantFrom('utf8' as const, 'printable' as const),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      { maxLength: 3 },
    );
    const shape = (each: Name) =>
      each.map((rdn) =>
        rdn
          .map(({ type, value: text }) => [type, text.toLowerCase().trim().replace(/ +/g, ' ')].join('\0'))
          .toSorted(),
      );
    fc.assert(
      fc.property(name, name, (a, b) => {
        if (sameName(a, b)) assert.equal(matchesName(a, b), true);
        assert.equal(matchesName(a, b), JSON.stringify(shape(a)) === JSON.stringify(shape(b)));
        assert.equal(matchingKey(a), matchingKey(structuredClone(a)));
      }),
    );
  });
});
