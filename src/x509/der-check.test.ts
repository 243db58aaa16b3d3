import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkDer } from './der-check.ts';
import { defaultDerLimits } from './der-limits.ts';
import { readDer } from './der-node.ts';
import { der } from './der-writer.ts';
import { assertRefused, hex } from './malformed.fixture.ts';

const notDer: Readonly<Record<string, string>> = {
  'nothing at all': '',
  'an identifier without a length': '30',
  'content that is cut off': '30 03 02 01',
  'a trailing byte': '05 00 00',
  'a trailing element': '05 00 05 00',
  'a child longer than its parent': '30 03 04 05 00',
  'indefinite length (X.690 10.1)': '30 80 05 00 00 00',
  'a long length where the short form does (X.690 10.1)': '04 81 01 00',
  'a length with a leading zero': '04 82 00 80',
  'a length of five octets': '04 85 01 00 00 00 00',
  'a reserved length octet': '04 ff',
  'a length whose octets are cut off': '04 82 01',
  'a length of 2^31 in five bytes': '04 84 80 00 00 00',
  'a length of 2^32 - 1 in five bytes': '30 84 ff ff ff ff',
  'tag 0': '00 00',
  'a tag number above 30': '1f 20 00',
  'constructed OCTET STRING (X.690 10.2)': '24 04 04 02 00 00',
  'constructed UTF8String': '2c 03 0c 01 41',
  'constructed INTEGER': '22 03 02 01 00',
  'primitive SEQUENCE': '10 00',
  'primitive SET': '11 00',
  'BOOLEAN true that is not FF (X.690 11.1)': '01 01 01',
  'BOOLEAN of two octets': '01 02 ff ff',
  'BOOLEAN without content': '01 00',
  'INTEGER without content': '02 00',
  'INTEGER with a needless zero (X.690 8.3.2)': '02 02 00 7f',
  'INTEGER with a needless FF': '02 02 ff 80',
  'ENUMERATED with a needless zero': '0a 02 00 01',
  'NULL with content': '05 01 00',
  'OBJECT IDENTIFIER without content': '06 00',
  'OBJECT IDENTIFIER that ends inside an arc': '06 02 2a 86',
  'OBJECT IDENTIFIER with a padded arc (X.690 8.19.2)': '06 03 2a 80 01',
  'BIT STRING without its first octet': '03 00',
  'BIT STRING with eight unused bits': '03 02 08 00',
  'BIT STRING with unused bits of nothing': '03 01 01',
  'BIT STRING with unused bits set (X.690 11.2.1)': '03 02 01 01',
};

suite('DER is refused as malformed', () => {
  for (const [what, bytes] of Object.entries(notDer)) {
    test(what, () => assertRefused('malformed', () => readDer(hex(bytes))));
    test(`${what}, inside a SEQUENCE and [0]`, () => {
      const inside = der.sequence(der.explicit(0, hex(bytes)));
      if (what === 'nothing at all' || what === 'a trailing element') return;
      assertRefused('malformed', () => readDer(inside));
    });
  }
});

suite('DER is read', () => {
  for (const bytes of [
    '30 00',
    '02 01 80',
    '02 02 00 80',
    '02 02 ff 7f',
    '03 01 00',
    '03 02 07 80',
    '80 00',
    'a0 00',
  ]) {
    test(bytes, () => assert.equal(readDer(hex(bytes)).der.length, hex(bytes).length));
  }

  test('of a Buffer, as plain views of it', () => {
    const { content } = readDer(Buffer.from(hex('04 01 ff')));
    assert.deepEqual(content, Uint8Array.of(0xff));
    assert.equal(content.constructor, Uint8Array);
  });
});

suite('limits', () => {
  const nested = (levels: number) => {
    let element = der.null();
    for (let i = 0; i < levels; i += 1) element = der.sequence(element);
    return element;
  };

  test('depth: 32 levels of constructed elements pass, 33 do not', () => {
    assert.equal(readDer(nested(32)).tag, 0x30);
    assertRefused('too-large', () => readDer(nested(33)), /deeper/);
  });

  test('depth: a bomb of 16000 levels is refused before the stack is used up', () => {
    const bomb = Uint8Array.from({ length: 64_000 }, (_, i) => {
      const length = 64_000 - 4 * Math.ceil((i + 1) / 4);
      return [0x30, 0x82, length >> 8, length & 0xff][i % 4] ?? 0;
    });
    assertRefused('too-large', () => readDer(bomb), /deeper/);
  });

  test('elements: 4096 pass, one more does not', () => {
    const nulls = (count: number) => der.sequenceOf(Array.from({ length: count }, () => der.null()));
    assert.equal(readDer(nulls(4095)).tag, 0x30);
    assertRefused('too-large', () => readDer(nulls(4096)), /elements/);
  });

  test('bytes: 65536 pass, one more does not', () => {
    assert.equal(readDer(der.octetString(new Uint8Array(65_532))).contentLength, 65_532);
    assertRefused('too-large', () => readDer(der.octetString(new Uint8Array(65_533))), /bytes/);
  });

  test('a limit holds for its own call only', () => {
    const limits = { ...defaultDerLimits, maximumElements: 1 };
    assertRefused('too-large', () => checkDer(nested(1), limits));
    checkDer(nested(1), defaultDerLimits);
  });
});
