import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { canonicalJson } from '#audit';

/** Deep values without lone surrogates; -0 is apart, for canonical JSON has none. */
const jsonValues = fc.jsonValue({ stringUnit: 'grapheme' });

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

test('RFC 8785 section 3.2.2: the literals, strings and numbers of the example', () => {
  const input = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  );
  assert.equal(
    canonicalJson(input),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test('RFC 8785 section 3.2.3: members are sorted by UTF-16 code units', () => {
  const input = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 };
  assert.deepEqual(
    [...canonicalJson(input).matchAll(/:(\d)/g)].map(([, value]) => value),
    ['2', '4', '6', '7', '1', '5', '3'],
  );
});

test('the order of members in memory does not matter', () => {
  fc.assert(
    fc.property(jsonValues, (value) => assert.equal(canonicalJson(reversed(value)), canonicalJson(value))),
  );
});

test('parsing and encoding again gives the same text, and JSON.parse the same value', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(JSON.parse(text)), text);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('minus zero is 0', () => {
  assert.equal(canonicalJson([-0, 0]), '[0,0]');
});

test('what JSON cannot hold is refused', () => {
  const holes: unknown[] = [];
  holes.length = 2;
  for (const value of [
    Number.NaN,
    Infinity,
    -Infinity,
    undefined,
    1n,
    Symbol('s'),
    () => 1,
    holes,
    new Date(0),
    new Map(),
    Buffer.from('bytes'),
    new (class Point {
      readonly x = 1;
    })(),
  ]) {
    assert.throws(() => canonicalJson({ value }), { code: 'malformed' }, inspect(value));
    assert.throws(() => canonicalJson([value]), { code: 'malformed' });
    assert.throws(() => canonicalJson(value), { code: 'malformed' });
  }
});

test('lone surrogates are refused in strings and in names (RFC 8785 section 3.2.2.2)', () => {
  for (const lone of ['\ud800', 'a\udc00', '\udc00\ud800']) {
    assert.throws(() => canonicalJson(lone), { code: 'malformed' });
    assert.throws(() => canonicalJson({ [lone]: 1 }), { code: 'malformed' });
  }
  assert.equal(canonicalJson('\u{1f600}'), '"\u{1f600}"');
});

test('__proto__ is a name like any other', () => {
  const text = '{"__proto__":{"polluted":true},"constructor":1,"toString":2}';
  assert.equal(canonicalJson(JSON.parse(text)), text);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  assert.equal(canonicalJson({ __proto__: null, a: 1 }), '{"a":1}');
});

test('toJSON has no say', () => {
  assert.throws(() => canonicalJson({ toJSON: () => 'other' }), { code: 'malformed' });
  assert.equal(canonicalJson({ toJSON: 'text' }), '{"toJSON":"text"}');
});

test('depth is bounded, which ends cycles', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)]);
  assert.equal(canonicalJson(nest(64)), `${'['.repeat(64)}1${']'.repeat(64)}`);
  assert.throws(() => canonicalJson(nest(65)), { code: 'too-large' });
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  assert.throws(() => canonicalJson(cycle), { code: 'too-large' });
});
