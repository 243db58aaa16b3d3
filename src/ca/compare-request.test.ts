import {
  attributeTypes,
  buildName,
  der,
  encodeBasicConstraints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeSubjectAltName,
  extendedKeyUsages,
  extensionOids,
  type GeneralName,
  type Name,
  oids,
  sidUriPrefix,
} from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRequest } from './compare-request.ts';
import { asksNothing, device, template } from './example-authority.fixture.ts';
import type { RequestObjections } from './request-objections.ts';
import { expandNames, type RequestedNames } from './template-names.ts';
import type { Template } from './template.ts';

/** The kinds of objection that a request meets. */
function objections(
  requested: Partial<RequestedNames>,
  by: Template = template,
): (keyof RequestObjections)[] {
  const asked = { ...asksNothing, ...requested };
  const compared = compareRequest(by, expandNames(by, device, asked), asked);
  return (Object.keys(compared) as (keyof RequestObjections)[]).filter((kind) => compared[kind] !== null);
}

const subject = (...attributes: [string, string][]): Name =>
  buildName(attributes.map(([type, value]) => ({ type, value })));
const extension = (oid: string, value: Uint8Array) => ({
  extensions: [{ oid, critical: false, value: value.toBase64() }],
});
const dns = (value: string): GeneralName => ({ kind: 'dns', value });

test('a request for nothing, and one for exactly what the template builds, meet no objection', () => {
  assert.deepEqual(objections({}), []);
  const { subject: built, subjectAltName } = expandNames(template, device, asksNothing);
  assert.deepEqual(objections({ subject: built, subjectAltName }), []);
});

test('part of the subject, another order and another string type are fine', () => {
  assert.deepEqual(objections({ subject: subject(['commonName', 'sensor-7']) }), []);
  const { commonName = '' } = attributeTypes;
  assert.deepEqual(
    objections({ subject: [[{ type: commonName, value: 'sensor-7', encoding: 'teletex' }]] }),
    [],
  );
});

test("an extension of the template's is asked for in vain, with another value it is an objection", () => {
  const [own] = template.extensions;
  assert.deepEqual(objections(extension(own!.oid, Uint8Array.fromHex(own!.value))), []);
  assert.deepEqual(objections(extension(own!.oid, Uint8Array.of(5, 0))), ['extensions']);
});

test('attributes ignored by name may say anything', () => {
  assert.deepEqual(objections({ subject: subject(['countryName', 'XX'], ['commonName', 'sensor-7']) }), []);
});

test("another device's name, another letter case or a strange attribute is an objection to the subject", () => {
  for (const [type, value] of [
    ['commonName', 'sensor-8'],
    ['commonName', 'Sensor-7'],
    ['organizationalUnitName', 'sensor-7'],
    ['1.2.3.4', 'sensor-7'],
  ] as const) {
    assert.deepEqual(objections({ subject: subject([type, value]) }), ['subject'], type);
  }
});

test('a stranger beside the right value in one RDN is seen', () => {
  const rdn = subject(['commonName', 'sensor-7'], ['commonName', 'admin']).flat();
  assert.deepEqual(objections({ subject: [rdn] }), ['subject']);
});

test('alternative names: built or admitted, in any letter case of dns', () => {
  assert.deepEqual(
    objections({ subjectAltName: [dns('Sensor-7.EXAMPLE.org'), dns('x.lab.example.org')] }),
    [],
  );
});

test('alternative names: a stranger, one too many and every other kind are objections', () => {
  assert.deepEqual(objections({ subjectAltName: [dns('sensor-8.example.org')] }), ['subjectAltName']);
  assert.deepEqual(
    objections({ subjectAltName: ['a', 'b', 'c'].map((name) => dns(`${name}.lab.example.org`)) }),
    ['subjectAltName'],
  );
  const others: GeneralName[] = [
    { kind: 'otherName', type: oids.msUserPrincipalName, value: 'DAFh' },
    { kind: 'directoryName', value: subject(['commonName', 'sensor-7']) },
    { kind: 'registeredId', value: '1.2.3' },
    { kind: 'email', value: 'sensor-7.example.org' },
  ];
  for (const name of others) {
    assert.deepEqual(objections({ subjectAltName: [name] }), ['subjectAltName'], name.kind);
  }
});

test('a SAN extension counts even where the names beside it do not say the same', () => {
  assert.deepEqual(
    objections(extension(extensionOids.subjectAltName, encodeSubjectAltName([dns('evil.test')]))),
    ['subjectAltName'],
  );
  assert.deepEqual(
    objections(extension(extensionOids.subjectAltName, encodeSubjectAltName([dns('sensor-7.example.org')]))),
    [],
  );
});

test('a SID is an objection of its own: as URI and as extension', () => {
  assert.deepEqual(objections({ subjectAltName: [{ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-1` }] }), [
    'noSid',
  ]);
  assert.deepEqual(objections(extension(oids.msSid, der.sequence())), ['noSid']);
});

test('a SID that the template itself builds may be asked for, as renewing clients do', () => {
  const mapped: Template = {
    ...template,
    subjectAltName: [
      { kind: 'uri', value: `${sidUriPrefix}S-1-5-21-{device.serialNumber}`, optional: false },
    ],
  };
  assert.deepEqual(
    objections({ subjectAltName: [{ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-4711` }] }, mapped),
    [],
  );
  assert.deepEqual(
    objections({ subjectAltName: [{ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-500` }] }, mapped),
    ['noSid'],
  );
});

test("usages: within the template's", () => {
  assert.deepEqual(objections(extension(extensionOids.keyUsage, encodeKeyUsage(['keyEncipherment']))), []);
  assert.deepEqual(objections(extension(extensionOids.keyUsage, encodeKeyUsage(['keyCertSign']))), ['usage']);
  const eku = (...purposes: string[]) =>
    extension(extensionOids.extendedKeyUsage, encodeExtendedKeyUsage(purposes));
  assert.deepEqual(objections(eku(extendedKeyUsages.clientAuth)), []);
  assert.deepEqual(objections(eku(extendedKeyUsages.clientAuth, extendedKeyUsages.serverAuth)), ['usage']);
  assert.deepEqual(objections(eku(extendedKeyUsages.anyExtendedKeyUsage)), ['usage']);
});

test('to be an end entity may be asked for, to be a certification authority not', () => {
  assert.deepEqual(
    objections(extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: false }))),
    [],
  );
  const written = der.sequence(der.boolean(false));
  assert.deepEqual(objections(extension(extensionOids.basicConstraints, written)), []);
  assert.deepEqual(
    objections(
      extension(extensionOids.basicConstraints, encodeBasicConstraints({ ca: true, pathLength: 0 })),
    ),
    ['endEntity'],
  );
});

test("Microsoft's template name is this template's, in any string type", () => {
  for (const value of [der.string('wifi', 'bmp'), der.utf8String('wifi'), der.printableString('wifi')]) {
    assert.deepEqual(objections(extension(oids.msTemplateName, value)), []);
  }
  for (const value of [der.utf8String('Administrator'), der.octetString(new TextEncoder().encode('wifi'))]) {
    assert.deepEqual(objections(extension(oids.msTemplateName, value)), ['extensions']);
  }
});

test('a subject key identifier is passed over; any other extension is an objection', () => {
  assert.deepEqual(
    objections(extension(extensionOids.subjectKeyIdentifier, der.octetString(new Uint8Array(20)))),
    [],
  );
  for (const oid of [
    extensionOids.certificatePolicies,
    extensionOids.nameConstraints,
    oids.msTemplate,
    '1.2.3.4',
  ]) {
    assert.deepEqual(objections(extension(oid, der.null())), ['extensions'], oid);
  }
});

test('one extension twice is an objection', () => {
  const { extensions } = extension(extensionOids.keyUsage, encodeKeyUsage(['digitalSignature']));
  assert.deepEqual(objections({ extensions: [...extensions, ...extensions] }), ['extensions']);
});

test('a value that does not parse is an objection of its own kind', () => {
  const kinds: [string, keyof RequestObjections][] = [
    [extensionOids.subjectAltName, 'subjectAltName'],
    [extensionOids.keyUsage, 'usage'],
    [extensionOids.extendedKeyUsage, 'usage'],
    [extensionOids.basicConstraints, 'endEntity'],
    [oids.msTemplateName, 'extensions'],
  ];
  for (const [oid, kind] of kinds) {
    for (const value of [Uint8Array.of(), Uint8Array.of(0x30), der.boolean(true)]) {
      assert.deepEqual(objections(extension(oid, value)), [kind], oid);
    }
    assert.deepEqual(
      objections({ extensions: [{ oid, critical: true, value: 'not base64!' }] }),
      [kind],
      oid,
    );
  }
});

test('the words repeat no value of the request, and stay short', () => {
  const many = Array.from(
    { length: 500 },
    (_, index) => [`1.2.3.${index}`, 'Erika Mustermann'] as [string, string],
  );
  const asked = { ...asksNothing, subject: subject(...many), subjectAltName: [dns('erika.mustermann.test')] };
  const compared = compareRequest(template, expandNames(template, device, asked), asked);
  assert.match(compared.subject ?? '', /and 495 more/u);
  assert.doesNotMatch(JSON.stringify(compared), /erika/iu);
});
