import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { assertRefused } from './malformed.fixture.ts';

suite('a cursor', () => {
  test('reads elements in order and finds an optional one only where it stands', () => {
    const fields = readDer(der.sequence(der.integer(1), der.explicit(0, der.null()))).sequence('thing');
    assert.equal(fields.optional(0xa0), null);
    assert.equal(fields.next().smallInteger('first'), 1);
    assert.equal(fields.optional(0xa0)?.children('explicit').next().null('inside'), null);
    assert.equal(fields.optional(0xa0), null);
    fields.finish();
  });

  test('names what misses an element and what has one too many', () => {
    const element = readDer(der.sequence(der.null()));
    assertRefused('malformed', () => element.sequence('thing').finish(), /^thing: an element too many$/);
    const fields = element.sequence('thing');
    fields.next();
    assertRefused('malformed', () => fields.next(), /^thing: an element is missing$/);
  });

  test('does not enter a primitive', () => {
    assertRefused('malformed', () => readDer(der.null()).children('thing'));
  });
});

suite('typed readers refuse other types and values out of range', () => {
  const nothing = readDer(der.null());
  const cases: Readonly<Record<string, () => unknown>> = {
    sequence: () => nothing.sequence('x'),
    set: () => readDer(der.sequence()).set('x'),
    boolean: () => nothing.boolean('x'),
    integer: () => nothing.integer('x'),
    oid: () => nothing.oid('x'),
    octetString: () => nothing.octetString('x'),
    bitString: () => nothing.bitStringOctets('x'),
    null: () => readDer(der.integer(0)).null('x'),
    time: () => nothing.time('x'),
    'a negative INTEGER where none may be': () => readDer(der.integer(-1)).unsignedBytes('x'),
    'a negative small INTEGER': () => readDer(der.integer(-1)).smallInteger('x'),
    'a small INTEGER of 2^31': () => readDer(der.integer(2 ** 31)).smallInteger('x'),
    'ENUMERATED for INTEGER': () => readDer(der.enumerated(1)).smallInteger('x'),
    'a BIT STRING of seven bits where octets are wanted': () =>
      readDer(der.bitString(Uint8Array.of(0xfe), 1)).bitStringOctets('x'),
  };
  for (const [what, act] of Object.entries(cases)) test(what, () => assertRefused('malformed', act));
});
