import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  der,
  encodeExtensions,
  oids,
  parseCertificationRequest,
  type RequestAttribute,
  withoutSecrets,
} from '#x509';
import { sampleKey, sampleRequest } from './sample.fixture.ts';

const key = sampleKey();
const secret = 'correct horse battery staple';
const challenge = (oid: string): RequestAttribute => ({ oid, values: [der.utf8String(secret)] });
const others: readonly RequestAttribute[] = [
  { oid: oids.unstructuredName, values: [der.utf8String('laptop-7')] },
  { oid: oids.extensionRequest, values: [encodeExtensions([])] },
  { oid: '1.3.6.1.4.1.311.13.2.3', values: [der.ia5String('10.0.26100.2')] },
];

suite('a request as it is kept', () => {
  for (const [name, oid] of [
    ['challengePassword (RFC 2985 section 5.4.1)', oids.challengePassword],
    ['otpChallenge (RFC 7894 section 3.1)', oids.otpChallenge],
    ['revocationChallenge (RFC 7894 section 3.2)', oids.revocationChallenge],
  ] as const) {
    test(`has no ${name}`, () => {
      const request = parseCertificationRequest(
        sampleRequest(key, { attributes: [...others, challenge(oid)] }),
      );
      const kept = withoutSecrets(request);
      assert.ok(Buffer.from(request.der).includes(secret));
      assert.ok(!Buffer.from(kept).includes(secret));
      const parsed = parseCertificationRequest(kept);
      assert.equal(parsed.challengePassword, null);
      assert.deepEqual(
        parsed.attributes,
        request.attributes.filter((attribute) => attribute.oid !== oid),
      );
    });
  }

  test('is the very one that came where it has none of them', () => {
    for (const attributes of [[], others]) {
      const request = parseCertificationRequest(sampleRequest(key, { attributes }));
      assert.equal(withoutSecrets(request), request.der);
    }
  });

  test('keeps everything else octet for octet, attributes in the order in which they came', () => {
    const all = [challenge(oids.challengePassword), ...others, challenge(oids.otpChallenge)];
    fc.assert(
      fc.property(fc.shuffledSubarray(all), (attributes) => {
        const sample = parseCertificationRequest(sampleRequest(key));
        // Not sorted, as strongSwan sends it.
        const encoded = attributes.map(({ oid, values }) => der.sequence(der.oid(oid), der.set(...values)));
        const requestOf = (parts: readonly Uint8Array[]) =>
          der.sequence(
            der.sequence(
              der.integer(0),
              sample.subjectDer,
              sample.spki,
              der.implicitConstructed(0, ...parts),
            ),
            sample.signatureAlgorithmDer,
            der.bitString(sample.signature),
          );
        const request = parseCertificationRequest(requestOf(encoded));
        const wanted = encoded.filter((_, at) => others.includes(attributes[at]!));
        assert.deepEqual(Buffer.from(withoutSecrets(request)), Buffer.from(requestOf(wanted)));
      }),
    );
  });

  test('without attributes at all is kept as it is', () => {
    const sample = parseCertificationRequest(sampleRequest(key));
    const info = der.sequence(der.integer(0), sample.subjectDer, sample.spki);
    const request = parseCertificationRequest(
      der.sequence(info, sample.signatureAlgorithmDer, der.bitString(sample.signature)),
    );
    assert.equal(withoutSecrets(request), request.der);
  });
});
