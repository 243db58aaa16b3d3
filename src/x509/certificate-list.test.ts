import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as asn1X509 from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { keyAlgorithms } from '#keys';
import {
  type RevokedCertificate,
  type TbsCertListFields,
  assembleSigned,
  der,
  encodeAuthorityKeyIdentifier,
  encodeCrlNumber,
  encodeName,
  encodeRevokedCertificates,
  encodeTbsCertList,
  extensionOids,
  keyIdentifier,
  parseCertificateList,
  signatureAlgorithmIdentifier,
  verifyCertificateListSignature,
} from '#x509';
import { Workbench, missing } from './command-line-tools.fixture.ts';
import { assertRefused } from './malformed.fixture.ts';
import { extension, issuerName, sampleCa, sampleKey, signed } from './sample.fixture.ts';

const issuer = sampleKey();
const thisUpdate = Date.UTC(2026, 5, 1);
const nextUpdate = Date.UTC(2050, 0, 1);
const revoked: readonly RevokedCertificate[] = [
  { serialNumber: '01', revokedAt: Date.UTC(2026, 1, 1), reason: 0 },
  { serialNumber: 'ff'.repeat(20), revokedAt: Date.UTC(2026, 2, 1), reason: 1 },
  { serialNumber: '7f00', revokedAt: Date.UTC(2026, 3, 1), reason: 4 },
];

function tbs(changed: Partial<TbsCertListFields> = {}): Uint8Array {
  return encodeTbsCertList({
    signatureAlgorithm: 'ec-p256',
    issuer: encodeName(issuerName),
    thisUpdate,
    nextUpdate,
    revoked: [encodeRevokedCertificates(revoked)],
    extensions: [
      extension(
        extensionOids.authorityKeyIdentifier,
        encodeAuthorityKeyIdentifier(keyIdentifier(issuer.spki)),
      ),
      extension(extensionOids.crlNumber, encodeCrlNumber(258n)),
    ],
    ...changed,
  });
}

suite('a CRL that we wrote', () => {
  const bytes = signed(tbs(), issuer);

  test('is read with the values it was written with', () => {
    const list = parseCertificateList(bytes);
    assert.deepEqual(list.issuer, issuerName);
    assert.equal(list.thisUpdate, thisUpdate);
    assert.equal(list.nextUpdate, nextUpdate);
    assert.deepEqual(list.revoked, revoked);
    assert.equal(list.crlNumber, 258n);
    assert.deepEqual(list.authorityKeyIdentifier, keyIdentifier(issuer.spki));
    assert.equal(verifyCertificateListSignature(list, issuer.spki), true);
    assert.equal(verifyCertificateListSignature(list, sampleKey().spki), false);
  });

  test('is what the oracle reads', () => {
    const { tbsCertList } = AsnConvert.parse(bytes, asn1X509.CertificateList);
    assert.equal(tbsCertList.version, asn1X509.Version.v2);
    assert.deepEqual(
      tbsCertList.revokedCertificates?.map(({ userCertificate, revocationDate }) => [
        Buffer.from(userCertificate).toString('hex').replace(/^00/, ''),
        revocationDate.getTime().getTime(),
      ]),
      revoked.map(({ serialNumber, revokedAt }) => [serialNumber, revokedAt]),
    );
    assert.equal(tbsCertList.nextUpdate?.getTime().getTime(), nextUpdate);
  });

  test('is read by openssl crl, which verifies it', { skip: missing('openssl') }, () => {
    const bench = new Workbench();
    bench.writePem('crl.pem', bytes, 'X509 CRL');
    bench.writePem('ca.pem', sampleCa(issuer), 'CERTIFICATE');
    const text = bench.run(
      'openssl',
      'crl',
      '-in',
      'crl.pem',
      '-noout',
      '-text',
      '-CAfile',
      'ca.pem',
      '-verify',
    );
    assert.match(text, /X509v3 CRL Number:\s+258/);
    assert.match(text, /Serial Number: F{40}/);
    assert.match(text, /Key Compromise/);
    assert.doesNotMatch(text, /Unspecified/);
  });

  test('is read by certtool, which verifies it', { skip: missing('certtool') }, () => {
    const bench = new Workbench();
    bench.writePem('crl.pem', bytes, 'X509 CRL');
    bench.writePem('ca.pem', sampleCa(issuer), 'CERTIFICATE');
    assert.match(
      bench.run('certtool', '--crl-info', '--infile', 'crl.pem'),
      /CRL Number \(not critical\): 0102/,
    );
    const verified = bench.run(
      'certtool',
      '--verify-crl',
      '--load-ca-certificate',
      'ca.pem',
      '--infile',
      'crl.pem',
    );
    assert.match(verified, /Verified/);
  });

  for (const algorithm of keyAlgorithms) {
    test(`is signed with ${algorithm}`, () => {
      const key = sampleKey(algorithm);
      const list = parseCertificateList(signed(tbs({ signatureAlgorithm: algorithm }), key));
      assert.equal(verifyCertificateListSignature(list, key.spki), true);
    });
  }

  test('without revoked certificates has no list of them (RFC 5280 section 5.1.2.6)', () => {
    assert.deepEqual(parseCertificateList(signed(tbs({ revoked: [] }), issuer)).revoked, []);
  });

  test('of 150000 certificates is written and read', () => {
    const many = Array.from({ length: 150_000 }, (_, i) => ({
      serialNumber: (i + 0x1000_0000).toString(16),
      revokedAt: thisUpdate,
      reason: 5,
    }));
    assert.equal(
      parseCertificateList(signed(tbs({ revoked: [encodeRevokedCertificates(many)] }), issuer)).revoked
        .length,
      many.length,
    );
  });

  test('parse(encode(fields)) is fields', () => {
    const entry = fc
      .tuple(
        fc.bigInt(1n, 2n ** 159n),
        fc.integer({ min: 0, max: 4e9 }),
        fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 8, 9, 10),
      )
      .map(([serial, second, reason]) => {
        const hex = serial.toString(16);
        return {
          serialNumber: hex.padStart(hex.length + (hex.length % 2), '0'),
          revokedAt: second * 1000,
          reason,
        };
      });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), fc.bigInt(0n, 2n ** 100n), (entries, number) => {
        const extensions = [extension(extensionOids.crlNumber, encodeCrlNumber(number))];
        const list = parseCertificateList(
          assembleSigned(
            tbs({ revoked: entries.map((each) => encodeRevokedCertificates([each])), extensions }),
            'ec-p256',
            new Uint8Array(8),
          ),
        );
        assert.deepEqual(list.revoked, entries);
        assert.equal(list.crlNumber, number);
        assert.equal(list.authorityKeyIdentifier, null);
      }),
    );
  });
});

suite('what is refused', () => {
  const algorithm = signatureAlgorithmIdentifier('ec-p256');
  const parts = {
    version: der.integer(1),
    algorithm,
    issuer: encodeName(issuerName),
    thisUpdate: der.time(thisUpdate),
    nextUpdate: der.time(nextUpdate),
  };
  const list = (changed: Partial<Record<keyof typeof parts | 'more', Uint8Array | null>> = {}) => {
    const all = Object.values({ ...parts, ...changed }).filter((part) => part !== null);
    return der.sequence(der.sequence(...all), algorithm, der.bitString(new Uint8Array(8)));
  };
  const critical = (oid: string) =>
    der.sequence(der.sequence(der.oid(oid), der.boolean(true), der.octetString(der.null())));

  test('the parts as they are are read', () => assert.deepEqual(parseCertificateList(list()).revoked, []));

  test('version 1, a critical extension that is not understood: unsupported', () => {
    assertRefused('unsupported', () => parseCertificateList(list({ version: null })));
    assertRefused('unsupported', () => parseCertificateList(list({ version: der.integer(2) })));
    for (const oid of [extensionOids.deltaCrlIndicator, extensionOids.issuingDistributionPoint, '1.2.3']) {
      assertRefused('unsupported', () =>
        parseCertificateList(list({ more: der.explicit(0, critical(oid)) })),
      );
    }
    const entry = der.sequence(der.integer(1), der.time(thisUpdate), critical('2.5.29.29'));
    assertRefused('unsupported', () => parseCertificateList(list({ more: der.sequence(entry) })));
  });

  for (const [what, oid] of [
    ['of changes', extensionOids.deltaCrlIndicator],
    ['of one distribution point', extensionOids.issuingDistributionPoint],
  ] as const) {
    test(`a list ${what}, which does not mark that critical: unsupported`, () => {
      const extensions = der.sequence(der.sequence(der.oid(oid), der.octetString(der.null())));
      assertRefused('unsupported', () => parseCertificateList(list({ more: der.explicit(0, extensions) })));
    });
  }

  test("another issuer's certificate on it, which is not marked critical: unsupported", () => {
    const withExtension = (oid: string, value: Uint8Array) =>
      list({
        more: der.sequence(
          der.sequence(
            der.integer(1),
            der.time(thisUpdate),
            der.sequence(der.sequence(der.oid(oid), der.octetString(value))),
          ),
        ),
      });
    assert.equal(parseCertificateList(withExtension('1.2.3', der.null())).revoked.length, 1);
    assertRefused('unsupported', () =>
      parseCertificateList(withExtension(extensionOids.certificateIssuer, der.sequence())),
    );
  });

  test('no nextUpdate, an empty list, a negative serial number, other algorithms outside: malformed', () => {
    assertRefused('malformed', () => parseCertificateList(list({ nextUpdate: null })));
    assertRefused('malformed', () => parseCertificateList(list({ more: der.sequence() })));
    const entry = der.sequence(der.integer(-1), der.time(thisUpdate));
    assertRefused('malformed', () => parseCertificateList(list({ more: der.sequence(entry) })));
    const other = list({ algorithm: signatureAlgorithmIdentifier('ec-p384') });
    assertRefused('malformed', () => parseCertificateList(other));
    assertRefused('malformed', () => parseCertificateList(list({ more: der.null() })));
  });
});
