import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { membersOf, parseJson } from '#jose';
import { assertRefused } from './jose.fixture.ts';

function parse(text: string): unknown {
  return parseJson(new TextEncoder().encode(text), 'it');
}

suite('parseJson', () => {
  test('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
    );
  });

  test('arbitrary octets give a value or a typed error', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1'), maxLength: 12 })
        .map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(octets, (bytes) => {
        try {
          parseJson(bytes, 'it');
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed'), String(error));
        }
      }),
    );
  });

  test('a name twice in one object is malformed, wherever the object stands', () => {
    const member = fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 1 }));
    fc.assert(
      fc.property(
        member,
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom('0', '1', '2'),
        ([name, value], other, at) => {
          const twice = `{${JSON.stringify(name)}:${JSON.stringify(value)},${JSON.stringify(name)}:${JSON.stringify(other)}}`;
          const text = { 0: twice, 1: `{"a":${twice}}`, 2: `[1,{"a":[${twice}]}]` }[at];
          assertRefused('malformed', () => parse(text), /one name twice/);
        },
      ),
    );
  });

  const twice: Readonly<Record<string, string>> = {
    'spelled with an escape': '{"alg":"ES256","\\u0061lg":"none"}',
    'that is __proto__': '{"__proto__":1,"__proto__":{}}',
    'beside strings with quotes, colons and backslashes': '{"a\\":":"\\\\","b":":","b":1}',
    'where the first holds an object': '{"a":{"b":1},"a":2}',
  };
  for (const [what, text] of Object.entries(twice)) {
    test(`a name twice ${what} is malformed`, () => {
      assertRefused('malformed', () => parse(text), /one name twice/);
    });
  }

  test('one name in two objects is no name twice', () => {
    assert.deepEqual(parse('[{"a":{"a":"a:a"}},{"a":1}]'), [{ a: { a: 'a:a' } }, { a: 1 }]);
  });

  test('a byte order mark, other encodings and nothing at all are malformed', () => {
    for (const bytes of [
      Buffer.from('\ufeff{}'),
      Buffer.from('{}', 'utf16le'),
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.from(''),
    ]) {
      assertRefused('malformed', () => parseJson(bytes, 'it'), /no JSON in UTF-8/);
    }
  });

  test('65,536 octets are read, one more is too large', () => {
    assert.deepEqual(parse(`[]${' '.repeat(65_534)}`), []);
    assertRefused('too-large', () => parse(`[]${' '.repeat(65_535)}`));
  });

  test('16 levels are read, one more is too large, and thirty thousand are no stack overflow', () => {
    parse('['.repeat(16) + ']'.repeat(16));
    for (const depth of [17, 32_000]) {
      assertRefused('too-large', () => parse('['.repeat(depth) + ']'.repeat(depth)), /16 levels/);
    }
  });

  test('a message quotes nothing of what was read', () => {
    assert.throws(
      () => parse('{"secret":"hunter2"'),
      (error: Error) => !error.message.includes('hunter2') && error.cause === undefined,
    );
  });

  test('an array, a text and null are no object', () => {
    for (const value of [[], 'a', null, 1, undefined]) {
      assertRefused('malformed', () => membersOf(value, 'it'));
    }
    assert.deepEqual(membersOf({ a: 1 }, 'it'), { a: 1 });
  });
});
