import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralNames } from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { generalNameArbitrary } from './arbitraries.fixture.ts';
import { der } from './der-writer.ts';
import { formatGeneralName } from './general-name-text.ts';
import { type GeneralName, encodeGeneralNames, parseGeneralNames, sameGeneralNames } from './general-name.ts';
import { assertRefused, hex } from './malformed.fixture.ts';
import { encodeHardwareModuleName } from './hardware-module-name.ts';
import { buildName } from './name.ts';
import { encodePermanentIdentifier } from './permanent-identifier.ts';

const dns = (value: string): GeneralName => ({ kind: 'dns', value });

suite('general names', () => {
  test('parse(encode(names)) is names, also after JSON', () => {
    fc.assert(
      fc.property(fc.array(generalNameArbitrary, { minLength: 1, maxLength: 5 }), (names) => {
        assert.deepEqual(parseGeneralNames(encodeGeneralNames(names)), names);
        assert.deepEqual(JSON.parse(JSON.stringify(names)), names);
      }),
    );
  });

  test('the oracle reads the same values', () => {
    const names: GeneralName[] = [
      dns('one.example.test'),
      { kind: 'email', value: 'a@example.test' },
      { kind: 'uri', value: 'urn:uuid:1' },
      { kind: 'ip', value: '192.0.2.1' },
      { kind: 'ip', value: '2001:db8::1' },
      { kind: 'registeredId', value: '1.2.3.4' },
      { kind: 'directoryName', value: buildName([{ type: 'commonName', value: 'x' }]) },
      {
        kind: 'otherName',
        type: '1.3.6.1.4.1.311.20.2.3',
        value: der.utf8String('u@example.test').toBase64(),
      },
    ];
    const read = AsnConvert.parse(encodeGeneralNames(names), GeneralNames);
    assert.equal(read[0]?.dNSName, 'one.example.test');
    assert.equal(read[1]?.rfc822Name, 'a@example.test');
    assert.equal(read[2]?.uniformResourceIdentifier, 'urn:uuid:1');
    assert.equal(read[3]?.iPAddress, '192.0.2.1');
    assert.match(read[4]?.iPAddress ?? '', /^2001:db8:.*:1$/);
    assert.equal(read[5]?.registeredID, '1.2.3.4');
    assert.equal(read[6]?.directoryName?.[0]?.[0]?.value.toString(), 'x');
    assert.equal(read[7]?.otherName?.typeId, '1.3.6.1.4.1.311.20.2.3');
  });

  const refused: Readonly<Record<string, string>> = {
    'an empty list (SIZE 1..MAX)': '30 00',
    'an empty dNSName': '30 02 82 00',
    'NUL in a dNSName': '30 05 82 03 61 00 62',
    'a newline in a URI': '30 05 86 03 61 0a 62',
    'a high octet in an rfc822Name': '30 03 81 01 ff',
    'an iPAddress of 5 octets': '30 07 87 05 01 02 03 04 05',
    'an iPAddress with a mask': '30 0a 87 08 01 02 03 04 ff ff ff 00',
    'a constructed dNSName': '30 05 a2 03 16 01 61',
    'a primitive otherName': '30 02 80 00',
    'an otherName without its value': '30 06 a0 04 06 02 2a 03',
    'an otherName whose value is not [0]': '30 0a a0 08 06 02 2a 03 a1 02 05 00',
    'an otherName with two values': '30 0c a0 0a 06 02 2a 03 a0 04 05 00 05 00',
    'an implicit directoryName': '30 02 a4 00',
    'a registeredID that is not minimal': '30 05 88 03 2a 80 01',
    'a tag that is no choice': '30 02 89 00',
    'a UTF8String in place of a name': '30 03 0c 01 61',
  };
  for (const [what, bytes] of Object.entries(refused)) {
    test(`${what} is refused`, () => assertRefused('malformed', () => parseGeneralNames(hex(bytes))));
  }

  test('more than 256 names and names over 2048 octets are too large', () => {
    const many = Array.from({ length: 257 }, (_, i) => dns(`h${i}`));
    assert.equal(parseGeneralNames(encodeGeneralNames(many.slice(1))).length, 256);
    assertRefused('too-large', () => parseGeneralNames(encodeGeneralNames(many)));
    assertRefused('too-large', () => parseGeneralNames(encodeGeneralNames([dns('x'.repeat(2049))])));
  });

  test('what cannot be a name is not written', () => {
    assertRefused('malformed', () => encodeGeneralNames([]));
    assertRefused('malformed', () => encodeGeneralNames([dns('')]));
    assertRefused('malformed', () => encodeGeneralNames([dns('ü')]));
    assertRefused('malformed', () => encodeGeneralNames([{ kind: 'ip', value: 'one.example.test' }]));
    assertRefused('malformed', () => encodeGeneralNames([{ kind: 'other', tag: 2, value: '' }]));
    assertRefused('malformed', () => encodeGeneralNames([{ kind: 'other', tag: 3, value: 'AA==' }]));
    assertRefused('malformed', () => encodeGeneralNames([{ kind: 'otherName', type: '1.2.3', value: '!' }]));
    assertRefused('malformed', () => encodeGeneralNames([{ kind: 'otherName', type: '1.2.3', value: '' }]));
  });
});

suite('sameGeneralNames', () => {
  test('order and repetition do not count', () => {
    assert.equal(sameGeneralNames([dns('a'), dns('b')], [dns('b'), dns('a'), dns('b')]), true);
    assert.equal(sameGeneralNames([], []), true);
  });

  test('kind, value, one more and one less count', () => {
    assert.equal(sameGeneralNames([dns('a')], [{ kind: 'uri', value: 'a' }]), false);
    assert.equal(sameGeneralNames([dns('a')], [dns('A')]), false);
    assert.equal(sameGeneralNames([dns('a')], [dns('a'), dns('b')]), false);
    assert.equal(sameGeneralNames([dns('a'), dns('b')], [dns('a')]), false);
    assert.equal(sameGeneralNames([dns('a')], []), false);
  });

  test('directory names are compared as names: their string types do not count', () => {
    const name = (encoding: 'utf8' | 'printable'): GeneralName => ({
      kind: 'directoryName',
      value: [[{ type: '2.5.4.3', value: 'x', encoding }]],
    });
    assert.equal(sameGeneralNames([name('utf8')], [name('printable')]), true);
  });
});

test('formatGeneralName spells every kind', () => {
  assert.deepEqual(
    [
      dns('a'),
      { kind: 'ip', value: '::1' } as const,
      { kind: 'directoryName', value: buildName([{ type: 'commonName', value: 'x,y' }]) } as const,
      { kind: 'otherName', type: '1.2.3', value: 'BQA=' } as const,
      encodePermanentIdentifier('anna'),
      encodePermanentIdentifier('a\u202eb', '1.2.3'),
      encodePermanentIdentifier('a/1.2.3'),
      { ...encodePermanentIdentifier('anna'), value: 'BQA=' },
      encodeHardwareModuleName({ hardwareType: '1.2.3', serialNumber: Buffer.from('SN-7') }),
      encodeHardwareModuleName({ hardwareType: '1.2.3', serialNumber: Buffer.of(0, 0xff) }),
      { kind: 'other', tag: 3, value: 'BQA=' } as const,
    ].map(formatGeneralName),
    [
      'DNS:a',
      'IP:::1',
      'dirName:CN=x\\,y',
      'otherName:1.2.3;BQA=',
      'permanentIdentifier:anna',
      'permanentIdentifier:a\\e2\\80\\aeb/1.2.3',
      'permanentIdentifier:a\\/1.2.3',
      'otherName:1.3.6.1.5.5.7.8.3;BQA=',
      'hardwareModule:SN-7/1.2.3',
      'hardwareModule:hex:00ff/1.2.3',
      '[3]:BQA=',
    ],
  );
});
