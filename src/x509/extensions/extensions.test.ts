import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as asn1X509 from '@peculiar/asn1-x509';
import fc from 'fast-check';
import {
  type Extension,
  der,
  encodeAuthorityInfoAccess,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeCrlDistributionPoints,
  encodeCrlNumber,
  encodeExtendedKeyUsage,
  encodeExtensions,
  encodeKeyUsage,
  encodeReasonCode,
  encodeSubjectKeyIdentifier,
  extendedKeyUsages,
  extensionsOf,
  keyUsages,
  parseAuthorityInfoAccess,
  parseAuthorityKeyIdentifier,
  parseBasicConstraints,
  parseCertificatePolicies,
  parseCrlDistributionPoints,
  parseCrlNumber,
  parseExtendedKeyUsage,
  parseKeyUsage,
  parseReasonCode,
  parseRequestedBasicConstraints,
  parseSubjectKeyIdentifier,
  readDer,
} from '#x509';
import { extensionsArbitrary, oidArbitrary } from '../arbitraries.fixture.ts';
import { assertRefused, hex } from '../malformed.fixture.ts';

function parseExtensions(bytes: Uint8Array): Extension[] {
  return extensionsOf(readDer(bytes));
}

const plain = { oid: '1.2.3', critical: false, value: hex('05 00') };

suite('Extensions (RFC 5280 section 4.2)', () => {
  test('parse(encode(extensions)) is extensions', () => {
    fc.assert(
      fc.property(extensionsArbitrary, (extensions) => {
        assert.deepEqual(parseExtensions(encodeExtensions(extensions)), extensions);
      }),
    );
  });

  test('an OID twice is refused', () => {
    assertRefused(
      'malformed',
      () => parseExtensions(encodeExtensions([plain, { ...plain, critical: true }])),
      /twice/,
    );
  });

  test('an empty list is refused, and more than 64', () => {
    const many = Array.from({ length: 65 }, (_, i) => ({ ...plain, oid: `1.2.${i}` }));
    assertRefused('malformed', () => parseExtensions(der.sequence()));
    assert.equal(parseExtensions(encodeExtensions(many.slice(1))).length, 64);
    assertRefused('too-large', () => parseExtensions(encodeExtensions(many)));
  });

  test('critical FALSE written out is not DER', () => {
    const extension = der.sequence(der.oid('1.2.3'), der.boolean(false), der.octetString(hex('05 00')));
    assertRefused('malformed', () => parseExtensions(der.sequence(extension)), /critical FALSE/);
  });

  test('a value that is no OCTET STRING and an element too many are refused', () => {
    const oid = der.oid('1.2.3');
    assertRefused('malformed', () => parseExtensions(der.sequence(der.sequence(oid, der.null()))));
    const value = der.octetString(hex('05 00'));
    assertRefused('malformed', () => parseExtensions(der.sequence(der.sequence(oid, value, der.null()))));
  });
});

suite('KeyUsage (section 4.2.1.3)', () => {
  test('every set of bits comes back and is what the oracle reads', () => {
    fc.assert(
      fc.property(fc.subarray([...keyUsages], { minLength: 1 }), (names) => {
        const value = encodeKeyUsage(names.toReversed());
        assert.deepEqual(parseKeyUsage(value), names);
        const oracle = AsnConvert.parse(value, asn1X509.KeyUsage).toJSON();
        const spelled = oracle.map((name) => (name === 'crlSign' ? 'cRLSign' : name));
        assert.deepEqual(spelled.toSorted(), names.toSorted());
      }),
    );
  });

  test('is written without trailing zero bits (X.690 11.2.2)', () => {
    assert.deepEqual(encodeKeyUsage(['digitalSignature']), hex('03 02 07 80'));
    assert.deepEqual(encodeKeyUsage(['keyCertSign', 'cRLSign']), hex('03 02 01 06'));
    assert.deepEqual(encodeKeyUsage(['decipherOnly']), hex('03 03 07 00 80'));
  });

  test("what TPM vendors' CAs write is read: trailing zero bits, a bit without a name", () => {
    assert.deepEqual(parseKeyUsage(hex('03 02 00 06')), ['keyCertSign', 'cRLSign']);
    assert.deepEqual(parseKeyUsage(hex('03 03 01 04 02')), ['keyCertSign']);
  });

  test('no bit at all, three octets and other types are refused', () => {
    for (const bytes of ['03 01 00', '03 02 00 00', '03 04 00 80 00 00', '04 01 80']) {
      assertRefused('malformed', () => parseKeyUsage(hex(bytes)));
    }
    assertRefused('malformed', () => encodeKeyUsage([]));
    assertRefused('malformed', () => encodeKeyUsage(['signing']));
  });
});

suite('BasicConstraints (section 4.2.1.9)', () => {
  const cases = [{ ca: false }, { ca: true }, { ca: true, pathLength: 0 }, { ca: true, pathLength: 300 }];
  for (const constraints of cases) {
    test(`${JSON.stringify(constraints)} comes back and is what the oracle reads`, () => {
      const value = encodeBasicConstraints(constraints);
      assert.deepEqual(parseBasicConstraints(value), constraints);
      const oracle = AsnConvert.parse(value, asn1X509.BasicConstraints);
      assert.equal(oracle.cA, constraints.ca);
      assert.equal(oracle.pathLenConstraint, constraints.pathLength);
    });
  }

  test('FALSE written out, a path length of no CA, a negative one and more elements are refused', () => {
    for (const bytes of [
      '30 03 01 01 00',
      '30 03 02 01 00',
      '30 06 01 01 ff 02 01 ff',
      '30 05 01 01 ff 05 00',
    ]) {
      assertRefused('malformed', () => parseBasicConstraints(hex(bytes)));
    }
    for (const bytes of ['30 03 02 01 00', '30 06 01 01 00 02 01 00', '30 03 01 01 01']) {
      assertRefused('malformed', () => parseRequestedBasicConstraints(hex(bytes)));
    }
    assertRefused('malformed', () => encodeBasicConstraints({ ca: false, pathLength: 0 }));
  });
});

test('BasicConstraints of a request: cA FALSE written out asks for no CA', () => {
  for (const [bytes, constraints] of [
    ['30 00', { ca: false }],
    ['30 03 01 01 00', { ca: false }],
    ['30 03 01 01 ff', { ca: true }],
    ['30 06 01 01 ff 02 01 00', { ca: true, pathLength: 0 }],
  ] as const) {
    assert.deepEqual(parseRequestedBasicConstraints(hex(bytes)), constraints);
  }
});

suite('lists of OIDs', () => {
  test('ExtKeyUsage comes back and is what the oracle reads (section 4.2.1.12)', () => {
    fc.assert(
      fc.property(fc.array(oidArbitrary, { minLength: 1, maxLength: 6 }), (purposes) => {
        assert.deepEqual(parseExtendedKeyUsage(encodeExtendedKeyUsage(purposes)), purposes);
      }),
    );
    const usual = [extendedKeyUsages.clientAuth, extendedKeyUsages.serverAuth];
    assert.deepEqual([...AsnConvert.parse(encodeExtendedKeyUsage(usual), asn1X509.ExtendedKeyUsage)], usual);
  });

  test('CertificatePolicies comes back and is what the oracle reads (section 4.2.1.4)', () => {
    fc.assert(
      fc.property(fc.uniqueArray(oidArbitrary, { minLength: 1, maxLength: 6 }), (policies) => {
        assert.deepEqual(parseCertificatePolicies(encodeCertificatePolicies(policies)), policies);
      }),
    );
    const value = encodeCertificatePolicies(['1.3.6.1.4.1.99999.1']);
    assert.equal(
      AsnConvert.parse(value, asn1X509.CertificatePolicies)[0]?.policyIdentifier,
      '1.3.6.1.4.1.99999.1',
    );
  });

  test('policy qualifiers are passed over, a policy twice is refused', () => {
    const policy = der.oid('1.2.3');
    const qualified = der.sequence(policy, der.sequence(der.sequence(der.oid('1.2.4'), der.ia5String('x'))));
    assert.deepEqual(parseCertificatePolicies(der.sequence(qualified)), ['1.2.3']);
    assertRefused('malformed', () => parseCertificatePolicies(encodeCertificatePolicies(['1.2.3', '1.2.3'])));
  });

  test('empty lists are refused, read and written, and more than 128 are too large', () => {
    const many = Array.from({ length: 129 }, (_, i) => `1.2.${i}`);
    for (const [parse, encode] of [
      [parseExtendedKeyUsage, encodeExtendedKeyUsage],
      [parseCertificatePolicies, encodeCertificatePolicies],
    ] as const) {
      assertRefused('malformed', () => parse(der.sequence()));
      assertRefused('malformed', () => encode([]));
      assertRefused('too-large', () => parse(encode(many)));
    }
  });
});

suite('key identifiers (sections 4.2.1.1 and 4.2.1.2)', () => {
  const keyId = hex('01 02 03 04');

  test('come back and are what the oracle reads', () => {
    assert.deepEqual(parseSubjectKeyIdentifier(encodeSubjectKeyIdentifier(keyId)), keyId);
    const value = encodeAuthorityKeyIdentifier(keyId);
    assert.deepEqual(parseAuthorityKeyIdentifier(value), keyId);
    const oracle = AsnConvert.parse(value, asn1X509.AuthorityKeyIdentifier);
    assert.deepEqual(new Uint8Array(oracle.keyIdentifier?.buffer ?? new ArrayBuffer()), keyId);
  });

  test('issuer and serial number beside the identifier, or alone, are read over', () => {
    const issuer = der.implicitConstructed(1, der.implicit(2, der.ia5String('x')));
    const serial = der.implicit(2, der.integer(5));
    const id = der.implicit(0, der.octetString(keyId));
    assert.deepEqual(parseAuthorityKeyIdentifier(der.sequence(id, issuer, serial)), keyId);
    assert.equal(parseAuthorityKeyIdentifier(der.sequence(issuer, serial)), null);
    assertRefused('malformed', () => parseAuthorityKeyIdentifier(der.sequence(serial, id)));
  });
});

suite('where to find things', () => {
  const urls = ['http://pki.example.test/a.crl', 'http://b.example.test/b.crl'];

  test('CRLDistributionPoints: every URL in one point (section 4.2.1.13)', () => {
    const value = encodeCrlDistributionPoints(urls);
    assert.deepEqual(parseCrlDistributionPoints(value), urls);
    const [point, ...others] = AsnConvert.parse(value, asn1X509.CRLDistributionPoints);
    assert.equal(others.length, 0);
    assert.deepEqual(
      point?.distributionPoint?.fullName?.map((name) => name.uniformResourceIdentifier),
      urls,
    );
  });

  test('CRLDistributionPoints: several points are read; reasons, a cRLIssuer or a relative name are unsupported', () => {
    const fullName = der.implicitConstructed(0, der.implicit(6, der.ia5String('http://x')));
    const point = der.sequence(der.explicit(0, fullName));
    assert.deepEqual(parseCrlDistributionPoints(der.sequence(point, point)), ['http://x', 'http://x']);
    const reasons = der.implicit(1, der.bitString(hex('40'), 6));
    assertRefused('unsupported', () =>
      parseCrlDistributionPoints(der.sequence(der.sequence(der.explicit(0, fullName), reasons))),
    );
    const relative = der.explicit(1, der.sequence(der.oid('2.5.4.3'), der.utf8String('x')));
    assertRefused('unsupported', () =>
      parseCrlDistributionPoints(der.sequence(der.sequence(der.explicit(0, relative)))),
    );
  });

  test('AuthorityInfoAccess comes back and is what the oracle reads (section 4.2.2.1)', () => {
    const access = { caIssuers: ['http://pki.example.test/ca.cer'], ocsp: ['http://ocsp.example.test'] };
    const value = encodeAuthorityInfoAccess(access);
    assert.deepEqual(parseAuthorityInfoAccess(value), access);
    assert.deepEqual(parseAuthorityInfoAccess(encodeAuthorityInfoAccess({ ocsp: ['u:1'] })), {
      caIssuers: [],
      ocsp: ['u:1'],
    });
    assert.deepEqual(
      Array.from(
        AsnConvert.parse(value, asn1X509.AuthorityInfoAccessSyntax),
        ({ accessMethod, accessLocation }) => [accessMethod, accessLocation.uniformResourceIdentifier],
      ),
      [
        ['1.3.6.1.5.5.7.48.1', access.ocsp[0]],
        ['1.3.6.1.5.5.7.48.2', access.caIssuers[0]],
      ],
    );
  });

  test('none at all is refused, read and written; more than 32 are too large', () => {
    const many = Array.from({ length: 33 }, (_, i) => `u:${i}`);
    assertRefused('malformed', () => encodeCrlDistributionPoints([]));
    assertRefused('malformed', () => encodeAuthorityInfoAccess({}));
    assertRefused('malformed', () => parseCrlDistributionPoints(der.sequence()));
    assertRefused('malformed', () => parseCrlDistributionPoints(der.sequence(der.sequence())));
    assertRefused('malformed', () => parseAuthorityInfoAccess(der.sequence()));
    assertRefused('too-large', () => parseAuthorityInfoAccess(encodeAuthorityInfoAccess({ ocsp: many })));
  });
});

suite('CRL extensions', () => {
  test('CRLNumber has at most 20 octets and is not negative (section 5.2.3)', () => {
    for (const number of [0n, 1n, 2n ** 64n, 2n ** 159n - 1n]) {
      assert.equal(parseCrlNumber(encodeCrlNumber(number)), number);
    }
    assertRefused('malformed', () => encodeCrlNumber(-1n));
    assertRefused('malformed', () => encodeCrlNumber(2n ** 159n));
    assertRefused('malformed', () => parseCrlNumber(der.integer(-1)));
    assertRefused('too-large', () => parseCrlNumber(der.integer(2n ** 160n)));
  });

  test('CRLReason is 0 to 10 without 7 (section 5.3.1)', () => {
    for (const reason of [0, 1, 6, 8, 10]) assert.equal(parseReasonCode(encodeReasonCode(reason)), reason);
    for (const reason of [7, 11, -1, 1.5]) assertRefused('malformed', () => encodeReasonCode(reason));
    assertRefused('malformed', () => parseReasonCode(der.enumerated(7)));
    assertRefused('malformed', () => parseReasonCode(der.integer(1)));
  });
});
