import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import {
  type CsrAttributesWishes,
  type KeyWish,
  der,
  encodeCsrAttributes,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeSubjectAltName,
  extendedKeyUsages,
  extensionOids,
  keyUsages,
  oids,
  readDer,
} from '#x509';
import { extensionsArbitrary, oidArbitrary } from './arbitraries.fixture.ts';
import { Workbench, missing } from './command-line-tools.fixture.ts';
import { encode, extensionsOfAttribute, p256, parseCsrAttributes } from './csr-attributes.fixture.ts';
import { assertRefused, hex } from './malformed.fixture.ts';

/** CsrAttrs without their last element, which is the template: what an older client makes of them. */
function withoutTemplate(bytes: Uint8Array): Uint8Array {
  const elements = [...readDer(bytes).sequence('CsrAttrs')].map((node) => node.der);
  return der.sequence(...elements.slice(0, -1));
}

suite('for clients that know RFC 7030 only: the examples of RFC 9908 section 5', () => {
  test('5.4, a public key of a specific size', () => {
    const bytes = encode({ challengePassword: true, key: { kind: 'rsa', bits: 4096 } });
    assert.equal(
      withoutTemplate(bytes).toBase64(),
      'MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==',
    );
  });

  test('5.5, a public key of a specific curve, and a serial number', () => {
    const bytes = encode({
      challengePassword: true,
      key: { kind: 'ec', curve: 'P-384' },
      subject: [{ type: '2.5.4.5', value: null }],
    });
    assert.equal(
      withoutTemplate(bytes).toBase64(),
      'MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD',
    );
  });

  test('5.1, an otherName of RFC 8994 in one Extensions', () => {
    const node = 'rfc8994+fd739fc23c3440112233445500000000+@acp.example.com';
    const name = {
      kind: 'otherName',
      type: '1.3.6.1.5.5.7.8.10',
      value: der.ia5String(node).toBase64(),
    } as const;
    const value = encodeSubjectAltName([name]);
    const extensions = [{ oid: extensionOids.subjectAltName, critical: true, value }];
    const [, request] = [...readDer(encode({ extensions })).sequence('CsrAttrs')];
    assert.ok(request !== undefined);
    assert.equal(
      der.sequence(request.der).toBase64(),
      'MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5' +
        'OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ==',
    );
  });
});

suite('any wishes', () => {
  const texts = { dns: 'one.example.test', uri: 'urn:x', email: 'a@example.test', ip: '192.0.2.1' } as const;
  const general = fc
    .constantFrom('dns', 'uri', 'email', 'ip')
    .chain((kind) => fc.record({ kind: fc.constant(kind), value: fc.constantFrom(null, texts[kind]) }));
  // The other library's arcs end at 2^53.
  const shortOid = fc
    .array(fc.nat(100_000), { minLength: 1, maxLength: 4 })
    .map((arcs) => ['1.3.6', ...arcs].join('.'));
  const keys = fc.constantFrom<KeyWish>(p256, { kind: 'rsa', bits: 2048 }, { kind: 'ml-dsa-65' });
  const honest: fc.Arbitrary<CsrAttributesWishes> = fc.record({
    challengePassword: fc.boolean(),
    subject: fc.array(
      fc.record({ type: shortOid, value: fc.option(fc.stringMatching(/^[A-Za-z0-9 ]{1,20}$/)) }),
      { maxLength: 5 },
    ),
    subjectAltName: fc.array(general, { maxLength: 4 }),
    key: keys,
    keyUsage: fc.subarray([...keyUsages]),
    extendedKeyUsage: fc.subarray(Object.values(extendedKeyUsages)),
    extensions: fc.uniqueArray(
      fc.record({ oid: shortOid, critical: fc.boolean(), value: fc.uint8Array({ maxLength: 40 }) }),
      { maxLength: 4, selector: ({ oid }) => oid },
    ),
  });

  test('come back from the template, as another library reads it', () => {
    fc.assert(
      fc.property(honest, (wishes) => {
        const { template } = parseCsrAttributes(encodeCsrAttributes(wishes));
        assert.deepEqual(
          (template.subject ?? []).map(({ type, value }) => ({
            type,
            value: value === null ? null : textOf(value),
          })),
          wishes.subject.map(({ type, value }) => ({ type, value })),
        );
        const partial = wishes.subjectAltName.some(({ value }) => value === null);
        const type = partial ? oids.extensionReqTemplate : oids.extensionRequest;
        const extensions = extensionsOfAttribute(template.attributes, type) ?? [];
        assert.deepEqual(valueOf(extensions, extensionOids.keyUsage), keyUsageOf(wishes));
        assert.deepEqual(valueOf(extensions, extensionOids.extendedKeyUsage), extendedKeyUsageOf(wishes));
        assert.deepEqual(
          valueOf(extensions, extensionOids.subjectAltName)?.toHex() ?? null,
          subjectAltNameOf(wishes)?.toHex() ?? null,
        );
        for (const extension of wishes.extensions) {
          assert.deepEqual(
            extensions.find(({ oid }) => oid === extension.oid),
            { ...extension },
          );
        }
      }),
    );
  });

  test('say the same to older clients, but for what the client fills in', () => {
    fc.assert(
      fc.property(honest, (wishes) => {
        const { oids: bare, attributes, template } = parseCsrAttributes(encodeCsrAttributes(wishes));
        const missing = wishes.subject.filter(({ value }) => value === null).map(({ type }) => type);
        for (const type of missing) assert.equal(bare.filter((oid) => oid === type).length, 1);
        const whole = wishes.subjectAltName.every(({ value }) => value !== null);
        const type = whole ? oids.extensionRequest : oids.extensionReqTemplate;
        const all = extensionsOfAttribute(template.attributes, type) ?? [];
        const kept = all.filter(({ oid }) => whole || oid !== extensionOids.subjectAltName);
        assert.deepEqual(extensionsOfAttribute(attributes, oids.extensionRequest) ?? [], kept);
      }),
    );
  });

  test('whatever texts they have: DER or a SallyportError', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), oidArbitrary, fc.constantFrom(...keyUsages));
    const kind = fc.constantFrom('dns', 'uri', 'email', 'ip');
    const wild: fc.Arbitrary<CsrAttributesWishes> = fc.record({
      challengePassword: fc.boolean(),
      subject: fc.array(fc.record({ type: text, value: fc.option(text) }), { maxLength: 2 }),
      subjectAltName: fc.array(fc.record({ kind, value: fc.option(text) }), { maxLength: 2 }),
      key: fc.oneof(keys, fc.record({ kind: fc.constant('rsa'), bits: fc.double() })),
      keyUsage: fc.array(text, { maxLength: 2 }),
      extendedKeyUsage: fc.array(text, { maxLength: 2 }),
      extensions: extensionsArbitrary,
    });
    fc.assert(
      fc.property(wild, (wishes) => {
        try {
          readDer(encodeCsrAttributes(wishes));
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'unsupported', 'too-large'), String(error));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('openssl asn1parse reads them', { skip: missing('openssl') }, () => {
    const bench = new Workbench();
    bench.write('csrattrs.der', encode({ challengePassword: true, keyUsage: ['digitalSignature'] }));
    const text = bench.run('openssl', 'asn1parse', '-inform', 'DER', '-in', 'csrattrs.der');
    assert.match(text, /challengePassword/);
    assert.match(text, /Extension Request/);
    assert.match(text, /cont \[ 0 \]/);
    assert.match(text, /cont \[ 1 \]/);
  });
});

suite('wishes that are refused', () => {
  const extension = (oid: string) => ({ oid, critical: false, value: hex('05 00') });
  const refused: Readonly<Record<string, Partial<CsrAttributesWishes>>> = {
    'an extension twice': { extensions: [extension('1.2.3'), extension('1.2.3')] },
    'keyUsage in two ways': { keyUsage: ['keyAgreement'], extensions: [extension(extensionOids.keyUsage)] },
    'subjectAltName in two ways': {
      subjectAltName: [{ kind: 'dns', value: null }],
      extensions: [extension(extensionOids.subjectAltName)],
    },
    'a key usage without a bit': { keyUsage: ['signing'] },
    'an extended key usage by name': { extendedKeyUsage: ['clientAuth'] },
    'a subject attribute by name': { subject: [{ type: 'CN', value: null }] },
    'an empty subject value': { subject: [{ type: '2.5.4.3', value: '' }] },
    'a country beyond PrintableString': { subject: [{ type: '2.5.4.6', value: 'Ü' }] },
    'an empty name': { subjectAltName: [{ kind: 'dns', value: '' }] },
    'no IP address': { subjectAltName: [{ kind: 'ip', value: 'localhost' }] },
  };
  for (const [what, wishes] of Object.entries(refused)) {
    test(what, () => assertRefused('malformed', () => encode(wishes)));
  }
});

function textOf(element: Uint8Array): string {
  return new TextDecoder().decode(readDer(element).content);
}

function valueOf(extensions: readonly { oid: string; value: Uint8Array }[], oid: string): Uint8Array | null {
  return extensions.find((each) => each.oid === oid)?.value ?? null;
}

function keyUsageOf({ keyUsage }: CsrAttributesWishes): Uint8Array | null {
  return keyUsage.length === 0 ? null : encodeKeyUsage(keyUsage);
}

function extendedKeyUsageOf({ extendedKeyUsage }: CsrAttributesWishes): Uint8Array | null {
  return extendedKeyUsage.length === 0 ? null : encodeExtendedKeyUsage(extendedKeyUsage);
}

/** With the text of every name that the client fills in taken out of it. */
function subjectAltNameOf({ subjectAltName }: CsrAttributesWishes): Uint8Array | null {
  const tags = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;
  if (subjectAltName.length === 0) return null;
  return der.sequence(
    ...subjectAltName.map(({ kind, value }) =>
      value === null
        ? Uint8Array.of(tags[kind], 0)
        : readDer(encodeSubjectAltName([{ kind, value }])).content,
    ),
  );
}
