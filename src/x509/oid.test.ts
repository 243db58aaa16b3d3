import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { oidArbitrary } from './arbitraries.fixture.ts';
import { assertRefused, hex } from './malformed.fixture.ts';
import { decodeOid, encodeOid } from './oid.ts';

suite('OBJECT IDENTIFIER', () => {
  const cases: readonly [string, string][] = [
    ['0.0', '00'],
    ['0.39', '27'],
    ['1.0', '28'],
    ['1.39', '4f'],
    ['2.0', '50'],
    ['2.48', '81 00'],
    ['2.999.3', '88 37 03'],
    ['1.3.6.1.4.1.311.25.2', '2b 06 01 04 01 82 37 19 02'],
    [
      '2.25.340282366920938463463374607431768211455',
      '69 83 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff 7f',
    ],
  ];
  for (const [dotted, content] of cases) {
    test(dotted, () => {
      assert.equal(decodeOid(hex(content)), dotted);
      assert.deepEqual(encodeOid(dotted), hex(content));
    });
  }

  test('parse(encode(oid)) is oid, remembered or not', () => {
    fc.assert(
      fc.property(oidArbitrary, (dotted) => {
        const content = encodeOid(dotted);
        assert.equal(decodeOid(content), dotted);
        assert.equal(encodeOid(dotted), content);
      }),
    );
  });

  test('what can be read can be written: as many arcs and as long ones as 64 octets hold', () => {
    for (const content of [new Uint8Array(64).fill(1), new Uint8Array(64).fill(0xff).with(63, 0x7f)]) {
      assert.deepEqual(encodeOid(decodeOid(content)), content);
    }
  });

  test('what is remembered is bounded: 5000 others later it is the same', () => {
    for (let i = 0; i < 5000; i += 1) encodeOid(`1.2.3.${i}`);
    assert.equal(decodeOid(encodeOid('1.2.3.4')), '1.2.3.4');
    assert.equal(decodeOid(hex('2a 03 05')), '1.2.3.5');
  });

  for (const dotted of [
    '',
    '1',
    '3.1',
    '1.40',
    '0.40',
    '01.2',
    '1.02',
    '1..2',
    '1.2.',
    '1.-2',
    '1.2.x',
    'commonName',
    `1.2${'.1'.repeat(70)}`,
  ]) {
    test(`${JSON.stringify(dotted.slice(0, 20))} is no dotted form`, () => {
      assertRefused('malformed', () => encodeOid(dotted));
    });
  }

  test('more than 64 octets are too large, both ways', () => {
    const long = `1.2.${'9'.repeat(60)}.${'9'.repeat(60)}.${'9'.repeat(60)}`;
    assertRefused('too-large', () => encodeOid(long));
    assertRefused('too-large', () => decodeOid(new Uint8Array(65).fill(1)));
  });

  test('octets that are not minimal are refused also under an implicit tag', () => {
    for (const content of ['', '80 01', '2a 86', '2a 80 01']) {
      assertRefused('malformed', () => decodeOid(hex(content)));
    }
  });
});
