import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import fc from 'fast-check';
import { readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { assertRefused, hex } from './malformed.fixture.ts';

suite('INTEGER', () => {
  const cases: readonly [bigint, string][] = [
    [0n, '02 01 00'],
    [127n, '02 01 7f'],
    [128n, '02 02 00 80'],
    [256n, '02 02 01 00'],
    [-1n, '02 01 ff'],
    [-128n, '02 01 80'],
    [-129n, '02 02 ff 7f'],
    [-256n, '02 02 ff 00'],
  ];
  for (const [value, bytes] of cases) {
    test(`${value}`, () => assert.deepEqual(der.integer(value), hex(bytes)));
  }

  test('parse(encode(n)) is n, and the encoding is DER', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
        assert.equal(readDer(der.integer(value)).integer('n'), value);
      }),
    );
  });

  test('octets are a number without sign, their leading zeros dropped', () => {
    assert.deepEqual(der.integer(hex('00 00 80')), hex('02 02 00 80'));
    assert.deepEqual(der.integer(hex('00')), hex('02 01 00'));
    assertRefused('malformed', () => der.integer(new Uint8Array()));
  });

  test('unsigned octets come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const magnitude = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
        const expected = bytes.every((byte) => byte === 0) ? Uint8Array.of(0) : magnitude;
        assert.deepEqual(readDer(der.integer(bytes)).unsignedBytes('n'), expected);
      }),
    );
  });
});

suite('lengths', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_531]) {
    test(`an OCTET STRING of ${length} octets is read by us and by the oracle`, () => {
      const element = der.octetString(new Uint8Array(length));
      assert.equal(readDer(element).content.length, length);
      assert.equal(AsnConvert.parse(element, OctetString).byteLength, length);
    });
  }
});

suite('SET OF', () => {
  test('is in ascending order of its encodings (X.690 11.6)', () => {
    const parts = [der.integer(300), der.integer(2), der.boolean(true), der.integer(1)];
    assert.deepEqual(der.set(...parts), hex('31 0d 01 01 ff 02 01 01 02 01 02 02 02 01 2c'));
  });
});

suite('other types', () => {
  const cases: readonly [string, Uint8Array, string][] = [
    ['BOOLEAN', der.boolean(false), '01 01 00'],
    ['NULL', der.null(), '05 00'],
    ['ENUMERATED', der.enumerated(10), '0a 01 0a'],
    ['OBJECT IDENTIFIER', der.oid('1.2.840.113549'), '06 06 2a 86 48 86 f7 0d'],
    ['BIT STRING with its unused bits cleared', der.bitString(Uint8Array.of(0xff), 3), '03 02 03 f8'],
    ['UTF8String', der.utf8String('ü'), '0c 02 c3 bc'],
    ['PrintableString', der.printableString('A b'), '13 03 41 20 62'],
    ['IA5String', der.ia5String('a@b'), '16 03 61 40 62'],
    ['[1] EXPLICIT', der.explicit(1, der.null()), 'a1 02 05 00'],
    ['[1] IMPLICIT of a primitive', der.implicit(1, der.null()), '81 00'],
    ['[1] IMPLICIT of a SEQUENCE', der.implicit(1, der.sequence(der.null())), 'a1 02 05 00'],
    ['[1] IMPLICIT of parts', der.implicitConstructed(1, der.null(), der.null()), 'a1 04 05 00 05 00'],
  ];
  for (const [what, element, bytes] of cases) {
    test(what, () => {
      assert.deepEqual(element, hex(bytes));
      assert.deepEqual(readDer(element).der, element);
    });
  }

  test('a shared encoding is not changed by [n] IMPLICIT', () => {
    der.implicit(3, der.oid('1.2.3'));
    assert.deepEqual(der.oid('1.2.3'), hex('06 02 2a 03'));
  });

  test('a BIT STRING cannot leave more bits unused than it has', () => {
    assertRefused('malformed', () => der.bitString(new Uint8Array(), 1));
    assertRefused('malformed', () => der.bitString(Uint8Array.of(0), 8));
  });
});
