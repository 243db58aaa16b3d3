import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { AsnConvert } from '@peculiar/asn1-schema';
import * as asn1X509 from '@peculiar/asn1-x509';
import { isSallyportError } from '#errors';
import {
  type Certificate,
  type Name,
  encodeExtensions,
  encodeGeneralNames,
  encodeName,
  encodeCrlDistributionPoints,
  encodeAuthorityInfoAccess,
  encodeCertificatePolicies,
  extensionOids,
  findCertificationPath,
  matchesName,
  inspectPublicKey,
  keyIdentifier,
  parseCertificate,
  pemToDer,
  verifyCertificateSignature,
} from '#x509';
import { Workbench, missing } from './command-line-tools.fixture.ts';
import { extension, sampleCa, sampleKey, sampleTbs, signed } from './sample.fixture.ts';

const bench = new Workbench();
const noOpenssl = missing('openssl');

/** Asserts that the oracle reads the same values. */
function assertSameAsOracle(bytes: Uint8Array, certificate: Certificate): void {
  const { tbsCertificate } = AsnConvert.parse(bytes, asn1X509.Certificate);
  const serial = Buffer.from(tbsCertificate.serialNumber).toString('hex');
  assert.equal(serial.replace(/^00(?=..)/, ''), certificate.serialNumber);
  assert.equal(tbsCertificate.validity.notBefore.getTime().getTime(), certificate.notBefore);
  assert.equal(tbsCertificate.validity.notAfter.getTime().getTime(), certificate.notAfter);
  assert.equal(tbsCertificate.signature.algorithm, certificate.signatureAlgorithm);
  assert.deepEqual(plain(tbsCertificate.subject), ours(certificate.subject));
  assert.deepEqual(plain(tbsCertificate.issuer), ours(certificate.issuer));
  const extensions = Array.from(tbsCertificate.extensions ?? [], ({ extnID, critical, extnValue }) => ({
    oid: extnID,
    critical,
    value: new Uint8Array(extnValue.buffer),
  }));
  assert.deepEqual(extensions, certificate.extensions);
}

function plain(name: asn1X509.Name): string[][][] {
  return Array.from(name, (rdn) => Array.from(rdn, ({ type, value }) => [type, value.toString()]));
}

function ours(name: Name): string[][][] {
  return name.map((rdn) => rdn.map(({ type, value }) => [type, value]));
}

const configuration = `
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
utf8 = yes
[dn]
C = CH
O = Zürich Test
CN = one.example.test
serialNumber = SN-1
[all]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth, emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = 1.3.6.1.4.1.99999.1
crlDistributionPoints = URI:http://pki.example.test/a.crl
authorityInfoAccess = OCSP;URI:http://ocsp.example.test, caIssuers;URI:http://pki.example.test/ca.cer
subjectAltName = @names
[names]
DNS.1 = one.example.test
email.1 = one@example.test
URI.1 = urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
IP.1 = 192.0.2.1
IP.2 = 2001:db8::1
RID.1 = 1.2.3.4
otherName.1 = 1.3.6.1.4.1.311.20.2.3;UTF8:one@example.test
dirName.1 = dir
[dir]
CN = device
`;

suite('certificates of the openssl command', { skip: noOpenssl }, () => {
  const keys: Readonly<Record<string, readonly string[]>> = {
    'rsa-2048': ['-newkey', 'rsa:2048'],
    'ec-p256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'ec-p384': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384'],
    ed25519: ['-newkey', 'ed25519'],
    'rsa-2048, PSS': [
      '-newkey',
      'rsa:2048',
      '-sigopt',
      'rsa_padding_mode:pss',
      '-sigopt',
      'rsa_pss_saltlen:-1',
    ],
  };
  for (const [what, args] of Object.entries(keys)) {
    test(`${what}: our values are the oracle's, re-encoding gives the same bytes, the signature verifies`, () => {
      bench.write('openssl.cnf', configuration);
      const settings = [
        '-config',
        'openssl.cnf',
        '-extensions',
        'all',
        '-days',
        '9000',
        '-keyout',
        'key.pem',
      ];
      bench.run('openssl', 'req', '-x509', '-nodes', '-out', 'own.pem', ...args, ...settings);
      const bytes = bench.readPem('own.pem', 'CERTIFICATE');
      const certificate = parseCertificate(bytes);
      assertSameAsOracle(bytes, certificate);
      assert.equal(verifyCertificateSignature(certificate, certificate.spki), true);
      assert.equal(inspectPublicKey(certificate.spki).algorithm, what.split(',')[0]);
      assert.deepEqual(inspectPublicKey(certificate.spki).weaknesses, []);
      assert.deepEqual(keyIdentifier(certificate.spki), certificate.subjectKeyIdentifier);
      assert.deepEqual(certificate.keyUsage, ['digitalSignature', 'keyEncipherment']);
      assert.deepEqual(encodeName(certificate.subject), certificate.subjectDer);
      assert.equal(certificate.subjectAltName.length, 8);
      assert.deepEqual(byOid(certificate), {
        ...byOid(certificate),
        [extensionOids.subjectAltName]: encodeGeneralNames(certificate.subjectAltName),
        [extensionOids.crlDistributionPoints]: encodeCrlDistributionPoints(['http://pki.example.test/a.crl']),
        [extensionOids.authorityInfoAccess]: encodeAuthorityInfoAccess({
          caIssuers: ['http://pki.example.test/ca.cer'],
          ocsp: ['http://ocsp.example.test'],
        }),
        [extensionOids.certificatePolicies]: encodeCertificatePolicies(['1.3.6.1.4.1.99999.1']),
      });
      assert.ok(Buffer.from(bytes).includes(encodeExtensions(certificate.extensions)));
    });
  }

  function byOid(certificate: Certificate): Record<string, Uint8Array> {
    return Object.fromEntries(certificate.extensions.map(({ oid, value }) => [oid, value]));
  }
});

suite('certificates that we wrote', () => {
  const issuer = sampleKey();
  const leaf = sampleKey('rsa-2048');
  const crl = extension(
    extensionOids.crlDistributionPoints,
    encodeCrlDistributionPoints(['http://x.test/a.crl']),
  );
  const leafDer = () => signed(sampleTbs(issuer, leaf.spki), issuer);

  test('openssl x509 reads them, openssl verify accepts the chain', { skip: noOpenssl }, () => {
    bench.writePem('ca.pem', sampleCa(issuer), 'CERTIFICATE');
    bench.writePem('leaf.pem', leafDer(), 'CERTIFICATE');
    const text = bench.run(
      'openssl',
      'x509',
      '-in',
      'leaf.pem',
      '-noout',
      '-text',
      '-nameopt',
      'RFC2253,utf8',
    );
    assert.match(text, /Subject: serialNumber=SN-0001,CN=device .*,C=CH/);
    assert.match(text, /DNS:one\.example\.test/);
    assert.match(text, /Digital Signature, Key Agreement/);
    assert.match(text, /Not After : Feb 28 23:59:59 2051 GMT/);
    assert.match(
      bench.run('openssl', 'verify', '-x509_strict', '-CAfile', 'ca.pem', 'leaf.pem'),
      /leaf\.pem: OK/,
    );
  });

  test('certtool reads them and accepts the chain', { skip: missing('certtool') }, () => {
    bench.writePem('tool.pem', leafDer(), 'CERTIFICATE');
    const text = bench.run('certtool', '--certificate-info', '--infile', 'tool.pem');
    assert.match(text, /DNSname: one\.example\.test/);
    assert.match(text, /Serial Number \(hex\): 7fa1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3/);
    bench.writePem('root.pem', sampleCa(issuer), 'CERTIFICATE');
    const verified = bench.run(
      'certtool',
      '--verify',
      '--load-ca-certificate',
      'root.pem',
      '--infile',
      'tool.pem',
    );
    assert.match(verified, /Chain verification output: Verified/);
  });

  test('certtool reads ML-DSA and a CRL distribution point', { skip: missing('certtool') }, () => {
    const key = sampleKey('ml-dsa-65');
    bench.writePem('pq.pem', signed(sampleTbs(key, key.spki, { extensions: [crl] }), key), 'CERTIFICATE');
    assert.match(
      bench.run('certtool', '--certificate-info', '--infile', 'pq.pem'),
      /http:\/\/x\.test\/a\.crl/,
    );
  });
});

const data = join(import.meta.dirname, '../../../shared/data');

suite("vendors' certificates", { skip: existsSync(data) ? false : `${data} is not here` }, () => {
  for (const path of globSync('{tpm,apple,yubico,android/*/*}/*.pem', { cwd: data })) {
    test(`${path}: our values are the oracle's`, () => {
      for (const bytes of pemToDer(readFileSync(join(data, path), 'utf8'), 'CERTIFICATE')) {
        const certificate = parseCertificate(bytes);
        assertSameAsOracle(bytes, certificate);
        inspectPublicKey(certificate.spki);
        assertSelfSignature(certificate);
      }
    });
  }
});

suite("TPM vendors' CAs", { skip: existsSync(data) ? false : `${data} is not here` }, () => {
  test('every intermediate has a path to a root', () => {
    const [roots, intermediates] = ['roots', 'intermediates'].map((name) =>
      pemToDer(readFileSync(join(data, `tpm/vendor-${name}.pem`), 'utf8'), 'CERTIFICATE').map((bytes) =>
        parseCertificate(bytes),
      ),
    ) as [Certificate[], Certificate[]];
    const pathless = intermediates.filter((each) => {
      const above = intermediates.filter(({ subject }) => matchesName(subject, each.issuer));
      return findCertificationPath(each, above, roots) === null;
    });
    // STMicroelectronics writes the issuer of four in other string types than its root has, against RFC 5280 section 4.1.2.4.
    assert.deepEqual(pathless, []);
  });
});

/** Roots verify under their own key; SHA-1, and ECDSA with a NULL (RFC 5758 section 3.2), are refused by the algorithm. */
function assertSelfSignature(certificate: Certificate): void {
  if (Buffer.compare(certificate.subjectDer, certificate.issuerDer) !== 0) return;
  try {
    assert.equal(verifyCertificateSignature(certificate, certificate.spki), true);
  } catch (error) {
    assert.ok(isSallyportError(error, 'unsupported', 'malformed'));
    assert.match(error.message, /algorithm .* (?:is not accepted|parameters must be absent)$/);
  }
}
