import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as asn1X509 from '@peculiar/asn1-x509';
import fc from 'fast-check';
import {
  type GeneralName,
  der,
  encodeGeneralNames,
  hardwareModuleNameOf,
  oids,
  parseGeneralNames,
} from '#x509';
import { generalNameArbitrary, oidArbitrary } from './arbitraries.fixture.ts';
import { assertRefused, hex } from './malformed.fixture.ts';

function moduleName(value: Uint8Array): GeneralName {
  return { kind: 'otherName', type: oids.hardwareModuleName, value: value.toBase64() };
}

function encoded(hardwareType: string, serialNumber: Uint8Array): Uint8Array {
  return der.sequence(der.oid(hardwareType), der.octetString(serialNumber));
}

const honest = moduleName(encoded('1.3.6.1.4.1.6175.10.1', hex('01 02 03 04')));
const others: readonly GeneralName[] = [
  { kind: 'dns', value: 'one.example.test' },
  { kind: 'otherName', type: oids.msUserPrincipalName, value: der.utf8String('x').toBase64() },
];

suite('hardwareModuleName (RFC 4108 section 5)', () => {
  test('is read from among the names of a certificate', () => {
    // The values of draft-ietf-cose-cbor-encoded-cert's IEEE 802.1AR device.
    const bytes = hex(
      '30 21 a0 1f 06 08 2b 06 01 05 05 07 08 04 a0 13 30 11 06 09 2b 06 01 04 01 b0 1f 0a 01 04 04 01 02 03 04',
    );
    assert.deepEqual(hardwareModuleNameOf([...others, ...parseGeneralNames(bytes)]), {
      hardwareType: '1.3.6.1.4.1.6175.10.1',
      serialNumber: hex('01 02 03 04'),
    });
  });

  test('every type and serial number comes back, as the oracle sees them', () => {
    const serials = fc.uint8Array({ minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(oidArbitrary, serials, (hardwareType, serialNumber) => {
        const name = moduleName(encoded(hardwareType, serialNumber));
        assert.deepEqual(hardwareModuleNameOf([name]), { hardwareType, serialNumber });
        const [oracle] = AsnConvert.parse(encodeGeneralNames([name]), asn1X509.GeneralNames);
        assert.equal(oracle?.otherName?.typeId, oids.hardwareModuleName);
      }),
    );
  });

  test('is null where there is none', () => {
    assert.equal(hardwareModuleNameOf([]), null);
    assert.equal(hardwareModuleNameOf(others), null);
  });

  test('other names never throw', () => {
    const names = fc.array(generalNameArbitrary.filter((name) => !isModuleName(name)));
    fc.assert(fc.property(names, (list) => assert.equal(hardwareModuleNameOf(list), null)));
  });

  test('more than one is refused, the same one too', () => {
    const second = moduleName(encoded('1.2.3', hex('05')));
    for (const twice of [
      [honest, honest],
      [honest, ...others, second],
    ]) {
      assertRefused('malformed', () => hardwareModuleNameOf(twice), /several/);
    }
  });

  for (const [what, value] of Object.entries({
    'no SEQUENCE': der.octetString(hex('01')),
    'without hwSerialNum': der.sequence(der.oid('1.2.3')),
    'without hwType': der.sequence(der.octetString(hex('01'))),
    'hwSerialNum of another type': der.sequence(der.oid('1.2.3'), der.utf8String('1')),
    'an empty hwSerialNum': encoded('1.2.3', hex('')),
    'an element too many': der.sequence(der.oid('1.2.3'), der.octetString(hex('01')), der.null()),
    'bytes after it': Uint8Array.of(...encoded('1.2.3', hex('01')), 0),
  })) {
    test(`${what} is refused`, () => {
      assertRefused('malformed', () => hardwareModuleNameOf([moduleName(value)]));
    });
  }

  test('what is no base64 is refused, and more than 256 octets are too large', () => {
    const broken = { kind: 'otherName', type: oids.hardwareModuleName, value: '#' } as const;
    assertRefused('malformed', () => hardwareModuleNameOf([broken]));
    const long = moduleName(encoded('1.2.3', new Uint8Array(257)));
    assertRefused('too-large', () => hardwareModuleNameOf([long]));
  });
});

function isModuleName(name: GeneralName): boolean {
  return name.kind === 'otherName' && name.type === oids.hardwareModuleName;
}
