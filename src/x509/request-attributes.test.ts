import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  type CertificationRequest,
  type Der,
  buildName,
  der,
  encodeGeneralNames,
  encodeName,
  oids,
  parseCertificationRequest,
} from '#x509';
import { generalNameArbitrary, nameArbitrary, oidArbitrary } from './arbitraries.fixture.ts';
import { assertRefused, hex } from './malformed.fixture.ts';
import { sampleKey, sampleRequest } from './sample.fixture.ts';

const key = sampleKey();

function requestWith(oid: string, ...values: readonly Der[]): CertificationRequest {
  return parseCertificationRequest(sampleRequest(key, { attributes: [{ oid, values }] }));
}

test('a request without them has none', () => {
  const request = parseCertificationRequest(sampleRequest(key));
  assert.equal(request.changeSubjectName, null);
  assert.equal(request.decryptKeyIdentifier, null);
  assert.equal(request.asymmetricDecryptKeyIdentifier, null);
  assert.equal(request.smimeCapabilities, null);
});

suite('changeSubjectName (RFC 6402 section 2.8)', () => {
  const subject = buildName([{ type: 'commonName', value: 'new' }]);
  const names = [{ kind: 'dns', value: 'new.example.test' }] as const;
  const subjectAlt = encodeGeneralNames(names);
  const changed = (...parts: readonly Der[]) =>
    requestWith(oids.changeSubjectName, der.sequence(...parts)).changeSubjectName;

  test('a subject, a subjectAlt [1] of erratum 3943, or both', () => {
    const tagged = der.implicit(1, subjectAlt);
    assert.deepEqual(changed(encodeName(subject)), { subject, subjectAltName: null });
    assert.deepEqual(changed(tagged), { subject: null, subjectAltName: names });
    assert.deepEqual(changed(encodeName(subject), tagged), { subject, subjectAltName: names });
  });

  test('a subjectAlt without a tag, as the RFC has it and EJBCA writes it', () => {
    assert.deepEqual(changed(subjectAlt), { subject: null, subjectAltName: names });
    assert.deepEqual(changed(encodeName(subject), subjectAlt), { subject, subjectAltName: names });
  });

  test('an empty SEQUENCE is the empty Name, for GeneralNames are never empty', () => {
    assert.deepEqual(changed(der.sequence()), { subject: [], subjectAltName: null });
    assert.deepEqual(changed(der.sequence(), subjectAlt), { subject: [], subjectAltName: names });
  });

  test('every name comes back by either form', () => {
    const alternatives = fc.array(generalNameArbitrary, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(nameArbitrary, alternatives, fc.boolean(), (name, list, tag) => {
        const encoded = encodeGeneralNames(list);
        const alternative = tag ? der.implicit(1, encoded) : encoded;
        assert.deepEqual(changed(encodeName(name), alternative), { subject: name, subjectAltName: list });
        assert.deepEqual(changed(alternative), { subject: null, subjectAltName: list });
      }),
      { numRuns: 50 },
    );
  });

  for (const [what, parts] of Object.entries({
    'neither of them': [],
    'subjectAlt before subject': [der.implicit(1, subjectAlt), encodeName(subject)],
    'untagged subjectAlt before subject': [subjectAlt, encodeName(subject)],
    'two subjects': [encodeName(subject), encodeName(subject)],
    'two subjectAlts': [der.implicit(1, subjectAlt), der.implicit(1, subjectAlt)],
    'two subjectAlts without tags': [subjectAlt, subjectAlt],
    'both forms of subjectAlt': [subjectAlt, der.implicit(1, subjectAlt)],
    'an explicit tag': [der.explicit(1, subjectAlt)],
    'an empty subjectAlt': [der.implicit(1, der.sequence())],
    'another tag': [der.implicit(0, subjectAlt)],
    'another type': [der.null()],
  })) {
    test(`${what}: refused`, () => assertRefused('malformed', () => changed(...parts)));
  }

  test('two values, and what is no SEQUENCE, are refused', () => {
    const value = der.sequence(encodeName(subject));
    assertRefused('malformed', () => requestWith(oids.changeSubjectName, value, der.sequence(subjectAlt)));
    assertRefused('malformed', () => requestWith(oids.changeSubjectName, der.utf8String('new')));
  });
});

for (const [name, oid, dotted] of [
  ['decryptKeyIdentifier', oids.decryptKeyID, '1.2.840.113549.1.9.16.2.37'],
  ['asymmetricDecryptKeyIdentifier', oids.asymmDecryptKeyID, '1.2.840.113549.1.9.16.2.54'],
] as const) {
  suite(`${name} (RFC 7030 section 4.4.1)`, () => {
    test('1 to 64 octets come back, under their own name only', () => {
      assert.equal(oid, dotted);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (octets) => {
          const request = requestWith(oid, der.octetString(octets));
          const { decryptKeyIdentifier, asymmetricDecryptKeyIdentifier } = request;
          assert.deepEqual(request[name], octets);
          assert.ok(decryptKeyIdentifier === null || asymmetricDecryptKeyIdentifier === null);
        }),
        { numRuns: 30 },
      );
    });

    test('65 octets are too large; none, another type and two values are refused', () => {
      assertRefused('too-large', () => requestWith(oid, der.octetString(new Uint8Array(65))));
      assertRefused('malformed', () => requestWith(oid, der.octetString(hex(''))));
      assertRefused('malformed', () => requestWith(oid, der.utf8String('key')));
      assertRefused('malformed', () =>
        requestWith(oid, der.octetString(hex('01')), der.octetString(hex('02'))),
      );
    });
  });
}

suite('smimeCapabilities (RFC 8551 section 2.5.2)', () => {
  const capability = (oid: string, ...parameters: readonly Der[]) =>
    der.sequence(der.oid(oid), ...parameters);
  const capabilities = (...list: readonly Der[]) =>
    requestWith(oids.smimeCapabilities, der.sequence(...list)).smimeCapabilities;

  test('the OIDs come back in their order, whatever the parameters', () => {
    // aes256-CBC, aes128-CBC, des-ede3-cbc, rc2-cbc of 128 and of 64 bits
    const list = [
      capability('2.16.840.1.101.3.4.1.42'),
      capability('2.16.840.1.101.3.4.1.2'),
      capability('1.2.840.113549.3.7', der.null()),
      capability('1.2.840.113549.3.2', der.integer(128)),
      capability('1.2.840.113549.3.2', der.integer(64)),
    ];
    assert.deepEqual(capabilities(...list), [
      '2.16.840.1.101.3.4.1.42',
      '2.16.840.1.101.3.4.1.2',
      '1.2.840.113549.3.7',
      '1.2.840.113549.3.2',
      '1.2.840.113549.3.2',
    ]);
    assert.deepEqual(capabilities(), []);
  });

  test('any list of up to 64 comes back; 65 are too large', () => {
    const lists = fc.array(oidArbitrary, { maxLength: 64 });
    fc.assert(
      fc.property(lists, (list) => {
        assert.deepEqual(capabilities(...list.map((oid) => capability(oid))), list);
      }),
      { numRuns: 30 },
    );
    const many = Array.from({ length: 65 }, (_, i) => capability(`1.2.${i}`));
    assertRefused('too-large', () => capabilities(...many));
  });

  test('what is no list of capabilities, and two lists, are refused', () => {
    assertRefused('malformed', () => capabilities(der.oid('1.2.3')));
    assertRefused('malformed', () => capabilities(der.sequence()));
    assertRefused('malformed', () => capabilities(capability('1.2.3', der.null(), der.null())));
    assertRefused('malformed', () =>
      requestWith(oids.smimeCapabilities, der.sequence(), der.sequence(capability('1.2.3'))),
    );
  });
});
