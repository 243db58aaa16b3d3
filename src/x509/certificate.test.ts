import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as asn1X509 from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { keyAlgorithms } from '#keys';
import {
  assembleSigned,
  der,
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeName,
  encodeSubjectAltName,
  encodeTbsCertificate,
  extendedKeyUsages,
  extensionOids,
  keyIdentifier,
  oids,
  parseCertificate,
  parseTbsCertificate,
  signatureAlgorithmIdentifier,
  verifyCertificateSignature,
} from '#x509';
import { extensionsArbitrary, generalNameArbitrary, nameArbitrary } from './arbitraries.fixture.ts';
import { assertRefused } from './malformed.fixture.ts';
import {
  extension,
  issuerName,
  sampleCa,
  sampleKey,
  sampleNotAfter,
  sampleNotBefore,
  sampleTbs,
  signed,
  subjectName,
} from './sample.fixture.ts';

const issuer = sampleKey();
const leaf = sampleKey();
const bytes = signed(sampleTbs(issuer, leaf.spki), issuer);

suite('a certificate that we wrote', () => {
  test('is read with the values it was written with', () => {
    const certificate = parseCertificate(bytes);
    assert.equal(certificate.serialNumber, '7fa1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3');
    assert.deepEqual(certificate.subject, subjectName);
    assert.deepEqual(certificate.issuer, issuerName);
    assert.deepEqual(certificate.issuerDer, encodeName(issuerName));
    assert.equal(certificate.notBefore, sampleNotBefore);
    assert.equal(certificate.notAfter, sampleNotAfter);
    assert.deepEqual(certificate.spki, leaf.spki);
    assert.deepEqual(certificate.subjectAltName, [{ kind: 'dns', value: 'one.example.test' }]);
    assert.deepEqual(certificate.keyUsage, ['digitalSignature', 'keyAgreement']);
    assert.equal(certificate.extendedKeyUsage, null);
    assert.deepEqual(certificate.subjectKeyIdentifier, keyIdentifier(leaf.spki));
    assert.deepEqual(certificate.authorityKeyIdentifier, keyIdentifier(issuer.spki));
    assert.equal(certificate.isCa, false);
    assert.equal(certificate.signatureAlgorithm, oids.ecdsaWithSha256);
    assert.deepEqual(certificate.der, bytes);
  });

  test('is what the oracle reads', () => {
    const { tbsCertificate } = AsnConvert.parse(bytes, asn1X509.Certificate);
    const certificate = parseCertificate(bytes);
    assert.equal(tbsCertificate.version, asn1X509.Version.v3);
    assert.equal(Buffer.from(tbsCertificate.serialNumber).toString('hex'), certificate.serialNumber);
    assert.equal(tbsCertificate.validity.notBefore.getTime().getTime(), certificate.notBefore);
    assert.equal(tbsCertificate.validity.notAfter.getTime().getTime(), certificate.notAfter);
    assert.deepEqual(
      Array.from(tbsCertificate.extensions ?? [], ({ extnID, critical, extnValue }) => ({
        oid: extnID,
        critical,
        value: new Uint8Array(extnValue.buffer),
      })),
      certificate.extensions,
    );
    assert.deepEqual(new Uint8Array(AsnConvert.serialize(tbsCertificate.subject)), certificate.subjectDer);
  });

  test('is what node:crypto reads', () => {
    const read = new X509Certificate(bytes);
    assert.equal(read.serialNumber.toLowerCase(), parseCertificate(bytes).serialNumber);
    assert.equal(read.subject, 'C=CH\nCN=device ü\\, \\"one\\"\nserialNumber=SN-0001');
    assert.equal(read.subjectAltName, 'DNS:one.example.test');
    assert.equal(Date.parse(read.validFrom), sampleNotBefore);
    assert.equal(Date.parse(read.validTo), sampleNotAfter);
  });

  test('parse(encode(fields)) is fields', () => {
    const serials = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) =>
      Buffer.from(octets)
        .toString('hex')
        .replace(/^(?:00)+(?=..)/, ''),
    );
    const seconds = fc.integer({ min: -10_000_000_000, max: 200_000_000_000 }).map((second) => second * 1000);
    const inert = extensionsArbitrary.map((list) => list.filter(({ oid }) => !oid.startsWith('2.5.29.')));
    fc.assert(
      fc.property(serials, nameArbitrary, nameArbitrary, seconds, seconds, inert, (...fields) => {
        const [serialNumber, issuerDn, subject, notBefore, notAfter, extensions] = fields;
        const tbs = encodeTbsCertificate({
          serialNumber,
          signatureAlgorithm: 'ec-p256',
          issuer: encodeName(issuerDn),
          subject,
          notBefore,
          notAfter,
          spki: leaf.spki,
          extensions,
        });
        const read = parseTbsCertificate(tbs);
        assert.deepEqual(
          [read.serialNumber, read.issuer, read.subject, read.notBefore, read.notAfter, read.extensions],
          fields,
        );
        assert.deepEqual(read.tbs, tbs);
      }),
    );
  });

  test('subject alternative names of every kind come back', () => {
    fc.assert(
      fc.property(fc.array(generalNameArbitrary, { minLength: 1, maxLength: 4 }), (names) => {
        const extensions = [extension(extensionOids.subjectAltName, encodeSubjectAltName(names))];
        assert.deepEqual(
          parseTbsCertificate(sampleTbs(issuer, leaf.spki, { extensions })).subjectAltName,
          names,
        );
      }),
    );
  });

  test('CA and extended key usage are seen', () => {
    const ca = parseCertificate(sampleCa(issuer));
    assert.equal(ca.isCa, true);
    assert.deepEqual(ca.keyUsage, ['keyCertSign', 'cRLSign']);
    const extensions = [
      extension(extensionOids.extendedKeyUsage, encodeExtendedKeyUsage([extendedKeyUsages.clientAuth])),
      extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: false }), true),
    ];
    const read = parseTbsCertificate(sampleTbs(issuer, leaf.spki, { extensions }));
    assert.deepEqual(read.extendedKeyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.equal(read.isCa, false);
    assert.equal(read.keyUsage, null);
  });
});

suite('the signature', () => {
  for (const algorithm of keyAlgorithms) {
    test(`of an issuer with ${algorithm} verifies, here and in node:crypto`, () => {
      const key = sampleKey(algorithm);
      const der = signed(sampleTbs(key, leaf.spki), key);
      assert.equal(verifyCertificateSignature(parseCertificate(der), key.spki), true);
      assert.equal(verifyCertificateSignature(parseCertificate(der), leaf.spki), false);
      const ca = new X509Certificate(sampleCa(key));
      assert.equal(new X509Certificate(der).verify(ca.publicKey), true);
    });
  }
});

/** TBSCertificate by parts, to leave out or to change one. */
const parts = {
  version: der.explicit(0, der.integer(2)),
  serialNumber: der.integer(5),
  algorithm: signatureAlgorithmIdentifier('ec-p256'),
  issuer: encodeName(issuerName),
  validity: der.sequence(der.time(sampleNotBefore), der.time(sampleNotAfter)),
  subject: encodeName(subjectName),
  spki: leaf.spki,
  extensions: der.explicit(3, der.sequence(der.sequence(der.oid('1.2.3'), der.octetString(der.null())))),
};

function tbsOf(changed: Partial<Record<keyof typeof parts | 'more', Uint8Array | null>> = {}): Uint8Array {
  return der.sequence(...Object.values({ ...parts, ...changed }).filter((part) => part !== null));
}

suite('what is refused', () => {
  test('the parts as they are, and version 1 without extensions, are read', () => {
    assert.equal(parseTbsCertificate(tbsOf()).serialNumber, '05');
    assert.deepEqual(parseTbsCertificate(tbsOf({ version: null, extensions: null })).extensions, []);
  });

  const malformed: Readonly<Record<string, Uint8Array>> = {
    'version 1 with extensions': tbsOf({ version: null }),
    'a negative serial number': tbsOf({ serialNumber: der.integer(-5) }),
    'times in a SET': tbsOf({ validity: der.set(der.time(1), der.time(2)) }),
    'one time only': tbsOf({ validity: der.sequence(der.time(1)) }),
    'three times': tbsOf({ validity: der.sequence(der.time(1), der.time(2), der.time(3)) }),
    'a UTCTime without seconds': tbsOf({
      validity: der.sequence(
        der.time(1),
        Uint8Array.of(0x17, 11, ...new TextEncoder().encode('2601010000Z')),
      ),
    }),
    'no extensions inside [3]': tbsOf({ extensions: der.explicit(3, der.sequence()) }),
    'an extension twice': tbsOf({
      extensions: der.explicit(
        3,
        der.sequence(
          der.sequence(der.oid('1.2.3'), der.octetString(der.null())),
          der.sequence(der.oid('1.2.3'), der.octetString(der.null())),
        ),
      ),
    }),
    'two lists of extensions': tbsOf({ more: parts.extensions }),
    'unique identifiers': tbsOf({ extensions: der.implicit(1, der.bitString(Uint8Array.of(1))) }),
    'an element after the extensions': tbsOf({ more: der.null() }),
    'a broken subjectAltName': tbsOf({
      extensions: der.explicit(
        3,
        der.sequence(der.sequence(der.oid(extensionOids.subjectAltName), der.octetString(Uint8Array.of(1)))),
      ),
    }),
  };
  for (const [what, tbs] of Object.entries(malformed)) {
    test(what, () => assertRefused('malformed', () => parseTbsCertificate(tbs)));
  }

  test('versions 1 and 2 written out are unsupported', () => {
    for (const version of [0, 1, 3]) {
      const tbs = tbsOf({ version: der.explicit(0, der.integer(version)), extensions: null });
      assertRefused('unsupported', () => parseTbsCertificate(tbs));
    }
  });

  test('a serial number of 21 octets is too large, one of 20 with the high bit set is not', () => {
    const serial = (octets: number) =>
      tbsOf({ serialNumber: der.integer(new Uint8Array(octets).fill(0xff)) });
    assert.equal(parseTbsCertificate(serial(20)).serialNumber, 'ff'.repeat(20));
    assertRefused('too-large', () => parseTbsCertificate(serial(21)));
  });

  test('another algorithm outside than inside, parameters included', () => {
    for (const outside of ['ec-p384', 'rsa-2048'] as const) {
      assertRefused('malformed', () => parseCertificate(assembleSigned(tbsOf(), outside, new Uint8Array(8))));
    }
    const withNull = der.sequence(der.oid(oids.ecdsaWithSha256), der.null());
    assertRefused('malformed', () =>
      parseCertificate(der.sequence(tbsOf(), withNull, der.bitString(new Uint8Array(8)))),
    );
  });

  test('trailing bytes, outside and inside', () => {
    assertRefused('malformed', () => parseCertificate(Uint8Array.of(...bytes, 0)));
    const more = der.sequence(tbsOf(), parts.algorithm, der.bitString(new Uint8Array(8)), der.null());
    assertRefused('malformed', () => parseCertificate(more));
  });

  test('serial numbers in other spellings are not written', () => {
    for (const serialNumber of ['', '0', '0001', 'AB', 'xy', '1', 'ff'.repeat(21)]) {
      assertRefused('malformed', () => sampleTbs(issuer, leaf.spki, { serialNumber }));
    }
  });
});
