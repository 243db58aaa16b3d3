import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as asn1Csr from '@peculiar/asn1-csr';
import { AsnConvert } from '@peculiar/asn1-schema';
import fc from 'fast-check';
import { keyAlgorithms } from '#keys';
import {
  type CertificationRequest,
  assembleSigned,
  der,
  encodeExtensions,
  encodeKeyUsage,
  encodeName,
  encodeSubjectAltName,
  extensionOids,
  oids,
  parseCertificationRequest,
  verifyPossession,
} from '#x509';
import { extensionsArbitrary, nameArbitrary } from './arbitraries.fixture.ts';
import { Workbench, missing } from './command-line-tools.fixture.ts';
import { assertRefused, hex } from './malformed.fixture.ts';
import { extension, sampleKey, sampleRequest, subjectName } from './sample.fixture.ts';

const key = sampleKey();
const names = [{ kind: 'dns', value: 'one.example.test' }] as const;
const extensions = [
  extension(extensionOids.subjectAltName, encodeSubjectAltName(names)),
  extension(extensionOids.keyUsage, encodeKeyUsage(['digitalSignature']), true),
];

suite('a request that we wrote', () => {
  test('is read with the values it was written with', () => {
    const bytes = sampleRequest(key, { extensions, challengePassword: 'aB-3' });
    const request = parseCertificationRequest(bytes);
    assert.deepEqual(request.der, bytes);
    assert.deepEqual(request.subject, subjectName);
    assert.deepEqual(request.subjectDer, encodeName(subjectName));
    assert.deepEqual(request.spki, key.spki);
    assert.deepEqual(request.extensions, extensions);
    assert.deepEqual(request.subjectAltName, names);
    assert.equal(request.challengePassword, 'aB-3');
    assert.equal(request.attributes.length, 2);
    assert.equal(verifyPossession(request), true);
  });

  test('may be empty: no subject, no attributes', () => {
    const request = parseCertificationRequest(sampleRequest(key, { subject: [] }));
    assert.deepEqual(request.subject, []);
    assert.deepEqual(request.attributes, []);
    assert.deepEqual(request.extensions, []);
    assert.deepEqual(request.subjectAltName, []);
    assert.equal(request.challengePassword, null);
  });

  test('parse(encode(fields)) is fields', () => {
    const inert = extensionsArbitrary.map((list) => list.filter(({ oid }) => !oid.startsWith('2.5.29.')));
    const passwords = fc.option(fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')));
    fc.assert(
      fc.property(nameArbitrary, inert, passwords, (subject, requested, challengePassword) => {
        const password = challengePassword === null ? {} : { challengePassword };
        const request = parseCertificationRequest(
          sampleRequest(key, { subject, extensions: requested, ...password }),
        );
        assert.deepEqual(request.subject, subject);
        assert.deepEqual(request.extensions, requested);
        assert.equal(request.challengePassword, challengePassword);
      }),
      { numRuns: 50 },
    );
  });

  for (const algorithm of keyAlgorithms) {
    test(`proves possession with ${algorithm}, and not when anything signed is changed`, () => {
      const own = sampleKey(algorithm);
      const request = parseCertificationRequest(sampleRequest(own, { extensions }));
      assert.equal(verifyPossession(request), true);
      assert.equal(verifyPossession({ ...request, spki: sampleKey(algorithm).spki }), false);
      const at = request.info.length - 3;
      assert.equal(
        verifyPossession({ ...request, info: request.info.with(at, request.info[at]! ^ 1) }),
        false,
      );
    });
  }

  test('signed by SHA-1 is unsupported', () => {
    const sha1 = der.sequence(der.oid('1.2.840.10045.4.1'));
    const { info } = parseCertificationRequest(sampleRequest(key));
    const request = parseCertificationRequest(der.sequence(info, sha1, der.bitString(key.sign(info))));
    assertRefused('unsupported', () => verifyPossession(request));
  });

  test('is read by openssl req, which verifies it', { skip: missing('openssl') }, () => {
    const bench = new Workbench();
    bench.writePem(
      'request.pem',
      sampleRequest(key, { extensions, challengePassword: 'aB-3' }),
      'CERTIFICATE REQUEST',
    );
    const text = bench.run('openssl', 'req', '-in', 'request.pem', '-noout', '-verify', '-text');
    assert.match(text, /challengePassword\s*:\s*aB-3/);
    assert.match(text, /DNS:one\.example\.test/);
  });

  test('is what the oracle reads', () => {
    const bytes = sampleRequest(key, { extensions, challengePassword: 'aB-3' });
    assertSameAsOracle(parseCertificationRequest(bytes));
  });
});

function assertSameAsOracle(request: CertificationRequest): void {
  const oracle = AsnConvert.parse(request.der, asn1Csr.CertificationRequest);
  const info = oracle.certificationRequestInfo;
  assert.equal(oracle.signatureAlgorithm.algorithm, request.signatureAlgorithm);
  assert.deepEqual(
    Array.from(info.subject, (rdn) => Array.from(rdn, ({ type, value }) => [type, value.toString()])),
    request.subject.map((rdn) => rdn.map(({ type, value }) => [type, value])),
  );
  assert.deepEqual(
    Array.from(info.attributes, ({ type, values }) => ({
      oid: type,
      values: values.map((value) => new Uint8Array(value)),
    })),
    request.attributes,
  );
  assert.deepEqual(new Uint8Array(oracle.signature), request.signature);
}

suite('requests of real clients', () => {
  const bench = new Workbench();
  const configuration = `
[req]
distinguished_name = dn
attributes = attributes
req_extensions = extensions
prompt = no
[dn]
CN = one.example.test
[attributes]
challengePassword = secret-0123456789
unstructuredName = a device
[extensions]
subjectAltName = DNS:one.example.test, IP:192.0.2.1
keyUsage = digitalSignature
`;

  for (const [what, args] of Object.entries({
    'RSA, SHA-256': ['-newkey', 'rsa:2048', '-sha256'],
    'RSA, SHA-512': ['-newkey', 'rsa:2048', '-sha512'],
    'P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'P-384': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384'],
    Ed25519: ['-newkey', 'ed25519'],
    "PSS with openssl's default salt": ['-newkey', 'rsa:2048', '-sha256', '-sigopt', 'rsa_padding_mode:pss'],
  })) {
    test(`openssl req, ${what}`, { skip: missing('openssl') }, () => {
      bench.write('req.cnf', configuration);
      bench.run(
        'openssl',
        'req',
        '-new',
        '-nodes',
        '-config',
        'req.cnf',
        '-keyout',
        'k',
        '-out',
        'r.pem',
        ...args,
      );
      const request = parseCertificationRequest(bench.readPem('r.pem', 'CERTIFICATE REQUEST'));
      assertSameAsOracle(request);
      assert.equal(verifyPossession(request), true);
      assert.equal(request.challengePassword, 'secret-0123456789');
      assert.deepEqual(request.subjectAltName, [
        { kind: 'dns', value: 'one.example.test' },
        { kind: 'ip', value: '192.0.2.1' },
      ]);
    });
  }

  test("strongSwan's pki: attributes are not sorted", { skip: missing('pki') }, () => {
    bench.write('pki.pem', key.privateKey.export({ format: 'pem', type: 'sec1' }));
    const options = [
      '--type',
      'priv',
      '--dn',
      'C=CH, CN=one',
      '--san',
      'one.example.test',
      '--password',
      's',
    ];
    bench.write('pki.csr', bench.run('pki', '--req', '--in', 'pki.pem', '--outform', 'pem', ...options));
    const request = parseCertificationRequest(bench.readPem('pki.csr', 'CERTIFICATE REQUEST'));
    assertSameAsOracle(request);
    assert.equal(verifyPossession(request), true);
    assert.equal(request.challengePassword, 's');
    assert.deepEqual(request.subjectAltName, names);
  });

  test('certtool: the older PEM label', { skip: missing('certtool') }, () => {
    bench.write('tool.pem', key.privateKey.export({ format: 'pem', type: 'sec1' }));
    bench.write('tool.cfg', 'cn = "one"\ndns_name = "one.example.test"\nchallenge_password = secret\n');
    const options = ['--generate-request', '--load-privkey', 'tool.pem', '--template', 'tool.cfg'];
    bench.run('certtool', ...options, '--outfile', 'tool.csr');
    const request = parseCertificationRequest(bench.readPem('tool.csr', 'CERTIFICATE REQUEST'));
    assertSameAsOracle(request);
    assert.equal(verifyPossession(request), true);
    assert.deepEqual(request.subjectAltName, names);
  });
});

suite('what is refused', () => {
  const requested = encodeExtensions(extensions);
  const attribute = (oid: string, ...values: readonly Uint8Array[]) =>
    der.sequence(der.oid(oid), der.set(...values));
  const request = (attributes: Uint8Array | null, version = der.integer(0)) => {
    const parts = [version, encodeName([]), key.spki, ...(attributes === null ? [] : [attributes])];
    return assembleSigned(der.sequence(...parts), 'ec-p256', new Uint8Array(8));
  };
  const withAttributes = (...attributes: readonly Uint8Array[]) =>
    request(der.implicitConstructed(0, ...attributes));
  const password = der.utf8String('x');

  const malformed: Readonly<Record<string, Uint8Array>> = {
    'attributes with a tag of their own': request(der.set()),
    'something after the attributes': assembleSigned(
      der.sequence(der.integer(0), encodeName([]), key.spki, der.implicitConstructed(0), der.null()),
      'ec-p256',
      new Uint8Array(8),
    ),
    'an attribute twice': withAttributes(
      attribute(oids.challengePassword, password),
      attribute(oids.challengePassword, password),
    ),
    'an unknown attribute twice': withAttributes(attribute('1.2.3', password), attribute('1.2.3', password)),
    'extensionRequest twice': withAttributes(
      attribute(oids.extensionRequest, requested),
      attribute(oids.extensionRequest, requested),
    ),
    "extensionRequest beside Microsoft's": withAttributes(
      attribute(oids.extensionRequest, requested),
      attribute(oids.msCertExtensions, requested),
    ),
    'extensionRequest of two values': withAttributes(attribute(oids.extensionRequest, requested, requested)),
    'an extension twice in extensionRequest': withAttributes(
      attribute(oids.extensionRequest, encodeExtensions([...extensions, ...extensions])),
    ),
    "an empty extensionRequest beside Microsoft's": withAttributes(
      attribute(oids.extensionRequest, der.sequence()),
      attribute(oids.msCertExtensions, requested),
    ),
    'extensionRequest without a value': withAttributes(attribute(oids.extensionRequest)),
    'critical that is neither TRUE nor FALSE': withAttributes(
      attribute(
        oids.extensionRequest,
        der.sequence(der.sequence(der.oid('1.2.3'), hex('01 01 01'), der.octetString(hex('05 00')))),
      ),
    ),
    'challengePassword of two values': withAttributes(attribute(oids.challengePassword, password, password)),
    'challengePassword without a value': withAttributes(attribute(oids.challengePassword)),
    'an attribute without a set': withAttributes(der.sequence(der.oid('1.2.3'), password)),
    'an attribute of three elements': withAttributes(
      der.sequence(der.oid('1.2.3'), der.set(password), password),
    ),
    'a broken subjectAltName': withAttributes(
      attribute(
        oids.extensionRequest,
        encodeExtensions([extension(extensionOids.subjectAltName, der.sequence())]),
      ),
    ),
    'trailing bytes': Uint8Array.of(...withAttributes(), 0),
  };
  for (const [what, bytes] of Object.entries(malformed)) {
    test(what, () => assertRefused('malformed', () => parseCertificationRequest(bytes)));
  }

  test('other versions than 0 and passwords that are no string are unsupported', () => {
    const none = der.implicitConstructed(0);
    for (const version of [1, 2]) {
      assertRefused('unsupported', () => parseCertificationRequest(request(none, der.integer(version))));
    }
    const octets = attribute(oids.challengePassword, der.octetString(Uint8Array.of(0x41)));
    assertRefused('unsupported', () => parseCertificationRequest(withAttributes(octets)));
  });

  test('more than 32 attributes, 16 values or 8192 octets of password are too large', () => {
    const many = Array.from({ length: 33 }, (_, i) => attribute(`1.2.${i}`, password));
    assert.equal(parseCertificationRequest(withAttributes(...many.slice(1))).attributes.length, 32);
    assertRefused('too-large', () => parseCertificationRequest(withAttributes(...many)));
    const values = Array.from({ length: 17 }, (_, i) => der.integer(i));
    assertRefused('too-large', () =>
      parseCertificationRequest(withAttributes(attribute('1.2.3', ...values))),
    );
    const long = (length: number) =>
      withAttributes(attribute(oids.challengePassword, der.utf8String('x'.repeat(length))));
    assert.equal(parseCertificationRequest(long(8192)).challengePassword?.length, 8192);
    assertRefused('too-large', () => parseCertificationRequest(long(8193)));
  });
});

suite('what is read', () => {
  const requestOf = (...attributes: readonly Uint8Array[]) => {
    const info = der.sequence(der.integer(0), encodeName([]), key.spki, ...attributes);
    return parseCertificationRequest(assembleSigned(info, 'ec-p256', key.sign(info)));
  };
  const asking = (...list: readonly Uint8Array[]) => {
    const set = der.set(der.sequence(...list));
    return requestOf(der.implicitConstructed(0, der.sequence(der.oid(oids.extensionRequest), set)));
  };

  test('no attributes field as none (RFC 2986 section 4.1: not optional)', () => {
    const request = requestOf();
    assert.deepEqual([request.attributes, request.extensions], [[], []]);
    assert.equal(verifyPossession(request), true);
  });

  test('an empty extensionRequest as none asked for', () => {
    assert.deepEqual(asking().extensions, []);
  });

  test('critical FALSE written out as its absence', () => {
    const value = der.octetString(hex('03 02 07 80'));
    const oid = der.oid(extensionOids.keyUsage);
    const [plain, written] = [
      asking(der.sequence(oid, value)),
      asking(der.sequence(oid, der.boolean(false), value)),
    ];
    assert.deepEqual(written.extensions, plain.extensions);
    assert.equal(asking(der.sequence(oid, der.boolean(true), value)).extensions[0]?.critical, true);
  });

  test("Microsoft's extension attribute as if it were extensionRequest", () => {
    const attributes = [{ oid: oids.msCertExtensions, values: [encodeExtensions(extensions)] }];
    assert.deepEqual(parseCertificationRequest(sampleRequest(key, { attributes })).subjectAltName, names);
  });

  for (const encoding of ['utf8', 'printable', 'ia5', 'teletex', 'bmp', 'universal'] as const) {
    test(`a challengePassword in ${encoding}`, () => {
      const attributes = [{ oid: oids.challengePassword, values: [der.string('aB-3', encoding)] }];
      assert.equal(parseCertificationRequest(sampleRequest(key, { attributes })).challengePassword, 'aB-3');
    });
  }

  test('unknown attributes are kept as they are', () => {
    const attributes = [{ oid: '1.2.3.4', values: [der.integer(1), der.octetString(Uint8Array.of(9))] }];
    assert.deepEqual(parseCertificationRequest(sampleRequest(key, { attributes })).attributes, attributes);
  });
});
