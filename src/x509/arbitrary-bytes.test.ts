import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import {
  der,
  encodeAuthorityInfoAccess,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCertificatePolicies,
  encodeCrlDistributionPoints,
  encodeCrlNumber,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeName,
  encodeReasonCode,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
  encodeRevokedCertificates,
  encodeTbsCertList,
  extensionOids,
  findCertificationPath,
  hardwareModuleNameOf,
  inspectPublicKey,
  keyIdentifier,
  oids,
  parseAuthorityInfoAccess,
  parseAuthorityKeyIdentifier,
  parseBasicConstraints,
  parseCertificate,
  parseCertificateList,
  parseCertificatePolicies,
  parseCertificationRequest,
  parseCrlDistributionPoints,
  parseCrlNumber,
  parseExtendedKeyUsage,
  parseGeneralNames,
  parseKeyUsage,
  parseName,
  parseReasonCode,
  parseSignatureAlgorithm,
  parseSubjectKeyIdentifier,
  parseTbsCertificate,
  pemToDer,
  readDer,
  signatureAlgorithmIdentifier,
  verifyCertificateSignature,
  verifyPossession,
} from '#x509';
import { hex } from './malformed.fixture.ts';
import {
  extension,
  issuerName,
  sampleCa,
  sampleKey,
  sampleRequest,
  sampleTbs,
  signed,
  subjectName,
} from './sample.fixture.ts';

const key = sampleKey();
const rsa = sampleKey('rsa-2048');
const names = [
  { kind: 'dns', value: 'one.example.test' },
  { kind: 'ip', value: '192.0.2.1' },
  { kind: 'directoryName', value: subjectName },
  { kind: 'otherName', type: '1.2.3', value: der.utf8String('x').toBase64() },
] as const;
const crl = signed(
  encodeTbsCertList({
    signatureAlgorithm: 'ec-p256',
    issuer: encodeName(issuerName),
    thisUpdate: 0,
    nextUpdate: 1e12,
    revoked: [encodeRevokedCertificates([{ serialNumber: '05', revokedAt: 0, reason: 1 }])],
    extensions: [extension(extensionOids.crlNumber, encodeCrlNumber(5n))],
  }),
  key,
);
const request = sampleRequest(key, {
  challengePassword: 'aB-3',
  extensions: [extension(extensionOids.subjectAltName, encodeSubjectAltName(names))],
});
const est = sampleRequest(key, {
  attributes: [
    { oid: oids.decryptKeyID, values: [der.octetString(hex('01 02'))] },
    { oid: oids.asymmDecryptKeyID, values: [der.octetString(hex('03 04'))] },
    { oid: oids.smimeCapabilities, values: [der.sequence(der.sequence(der.oid('1.2.3'), der.null()))] },
    {
      oid: oids.changeSubjectName,
      values: [der.sequence(encodeName(subjectName), der.implicit(1, encodeSubjectAltName(names)))],
    },
  ],
});
const ca = parseCertificate(sampleCa(key));
const pss = der.sequence(
  der.oid('1.2.840.113549.1.1.10'),
  der.sequence(
    der.explicit(0, der.sequence(der.oid('2.16.840.1.101.3.4.2.1'))),
    der.explicit(
      1,
      der.sequence(der.oid('1.2.840.113549.1.1.8'), der.sequence(der.oid('2.16.840.1.101.3.4.2.1'))),
    ),
    der.explicit(2, der.integer(32)),
  ),
);

/** Every parser with honest inputs of its own. */
const parsers: Readonly<Record<string, readonly [(bytes: Uint8Array) => unknown, ...Uint8Array[]]>> = {
  readDer: [readDer, request],
  parseCertificate: [
    (bytes) => verifyCertificateSignature(parseCertificate(bytes), key.spki),
    signed(sampleTbs(key, rsa.spki), key),
    sampleCa(key),
  ],
  parseTbsCertificate: [parseTbsCertificate, sampleTbs(key, key.spki)],
  parseCertificationRequest: [(bytes) => verifyPossession(parseCertificationRequest(bytes)), request, est],
  findCertificationPath: [
    (bytes) => findCertificationPath(parseCertificate(bytes), [parseCertificate(bytes)], [ca]),
    signed(sampleTbs(key, rsa.spki), key),
  ],
  'findCertificationPath over what was sent': [
    (bytes) => findCertificationPath(ca, [parseCertificate(bytes)], [parseCertificate(bytes)]),
    sampleCa(key),
  ],
  hardwareModuleNameOf: [
    (bytes) =>
      hardwareModuleNameOf([{ kind: 'otherName', type: oids.hardwareModuleName, value: bytes.toBase64() }]),
    der.sequence(der.oid('1.2.3'), der.octetString(hex('01 02'))),
  ],
  parseCertificateList: [parseCertificateList, crl],
  parseName: [parseName, encodeName(subjectName)],
  parseGeneralNames: [parseGeneralNames, encodeSubjectAltName(names)],
  parseSignatureAlgorithm: [parseSignatureAlgorithm, pss, signatureAlgorithmIdentifier('rsa-2048')],
  inspectPublicKey: [inspectPublicKey, key.spki, rsa.spki, sampleKey('ed25519').spki],
  keyIdentifier: [keyIdentifier, key.spki],
  parseKeyUsage: [parseKeyUsage, encodeKeyUsage(['decipherOnly'])],
  parseExtendedKeyUsage: [parseExtendedKeyUsage, encodeExtendedKeyUsage(['1.2.3', '2.999.5'])],
  parseBasicConstraints: [parseBasicConstraints, encodeBasicConstraints({ ca: true, pathLength: 3 })],
  parseSubjectKeyIdentifier: [parseSubjectKeyIdentifier, encodeSubjectKeyIdentifier(new Uint8Array(20))],
  parseAuthorityKeyIdentifier: [
    parseAuthorityKeyIdentifier,
    encodeAuthorityKeyIdentifier(new Uint8Array(20)),
  ],
  parseCrlDistributionPoints: [parseCrlDistributionPoints, encodeCrlDistributionPoints(['http://x'])],
  parseAuthorityInfoAccess: [parseAuthorityInfoAccess, encodeAuthorityInfoAccess({ ocsp: ['u:1'] })],
  parseCertificatePolicies: [parseCertificatePolicies, encodeCertificatePolicies(['1.2.3'])],
  parseCrlNumber: [parseCrlNumber, encodeCrlNumber(500n)],
  parseReasonCode: [parseReasonCode, encodeReasonCode(1)],
};

/** A value or a SallyportError that a peer's input can cause; never another throw. Gives the milliseconds it took. */
function answer(parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): number {
  const started = performance.now();
  try {
    parse(bytes);
  } catch (error) {
    assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'too-large'), String(error));
  }
  return performance.now() - started;
}

/** Indefinite length, lengths of 2^32 - 1 and 2^31, an INTEGER that is not minimal, a tag number above 30. */
const traps = ['30800000', '0484ffffffff', '308480000000', '02020001', '1f8101'].map((text) => hex(text));

/** A SEQUENCE of as many empty SEQUENCEs as have room in this many octets. */
function emptyElements(length: number): Uint8Array {
  const sequence = der.octetString(new Uint8Array(length)).with(0, 0x30);
  for (let i = sequence.length - length; i < sequence.length; i += 2) sequence[i] = 0x30;
  return sequence;
}

/** An honest input with a few octets changed, cut out, repeated or put in. */
function mutated(originals: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    original: fc.constantFrom(...originals),
    edits: fc.array(
      fc.record({
        at: fc.nat(),
        remove: fc.nat(4),
        insert: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.constantFrom(...traps)),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  });
  return change.map(({ original, edits }) =>
    edits.reduce<Uint8Array>((bytes, { at, remove, insert }) => {
      const start = at % (bytes.length + 1);
      return Uint8Array.of(...bytes.subarray(0, start), ...insert, ...bytes.subarray(start + remove));
    }, original),
  );
}

for (const [name, [parse, ...originals]] of Object.entries(parsers)) {
  suite(`${name} gives a value or a SallyportError`, () => {
    test('for what it is made for: a value', () => {
      for (const original of originals) assert.notEqual(parse(original), undefined);
    });

    test('for arbitrary bytes', () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void answer(parse, bytes)));
    });

    test('for honest inputs with octets changed', () => {
      fc.assert(
        fc.property(mutated(originals), (bytes) => void answer(parse, bytes)),
        { numRuns: 300 },
      );
    });

    test('for every prefix', () => {
      for (const original of originals) {
        for (let length = 0; length < original.length; length += 1) {
          answer(parse, original.subarray(0, length));
        }
      }
    });

    test('for every bit flipped in turn', { timeout: 60_000 }, () => {
      for (const original of originals.filter(({ length }) => length < 200)) {
        for (let bit = 0; bit < original.length * 8; bit += 1) {
          const at = bit >> 3;
          answer(parse, original.with(at, (original[at] ?? 0) ^ (1 << (bit & 7))));
        }
      }
    });

    test('in bounded time for 64 kB and 16 MiB of empty elements', () => {
      assert.ok(answer(parse, emptyElements(65_000)) < 2000);
      assert.ok(answer(parse, emptyElements(16 * 1024 * 1024 - 8)) < 2000);
    });
  });
}

test('pemToDer gives a value or a SallyportError for arbitrary text', () => {
  const pieces = fc.constantFrom(
    '-----BEGIN ',
    'X509 CRL',
    '-----',
    '-----END ',
    '\n',
    'AAAA',
    '=',
    ' ',
    '\0',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
      answer(() => pemToDer(parts.join(''), 'X509 CRL'), new Uint8Array());
    }),
  );
});
