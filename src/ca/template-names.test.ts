import { buildName, formatName, type GeneralName, sidUriPrefix } from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksNothing, device, template } from './example-authority.fixture.ts';
import { expandNames } from './template-names.ts';
import type { Template } from './template.ts';

const asks = (...subjectAltName: GeneralName[]) => ({ ...asksNothing, subjectAltName });
const named = (identifiers: Record<string, string>) => ({ ...device, identifiers });
const withUri = (value: string, optional = false): Template => ({
  ...template,
  subjectAltName: [{ kind: 'uri', value, optional }],
});

test('subject and SAN are what the template says, in its order', () => {
  const { subject, subjectAltName, problems } = expandNames(template, device, asksNothing);
  assert.deepEqual(problems, []);
  assert.equal(
    formatName(subject),
    formatName(
      buildName([
        { type: 'organizationName', value: 'Example' },
        { type: 'commonName', value: 'sensor-7' },
        { type: 'serialNumber', value: 'SN 4711' },
      ]),
    ),
  );
  assert.deepEqual(subjectAltName, [
    { kind: 'dns', value: 'sensor-7.example.org' },
    { kind: 'uri', value: 'urn:device:sensor-7' },
  ]);
});

test('an optional SAN entry appears where the device has the identifier', () => {
  const { subjectAltName } = expandNames(
    template,
    named({ dnsName: 'a.b', user: 'u', address: '2001:DB8::1' }),
    asksNothing,
  );
  assert.deepEqual(subjectAltName.slice(2), [
    { kind: 'email', value: 'u@example.org' },
    { kind: 'ip', value: '2001:db8::1' },
  ]);
});

test('a missing identifier is a problem in the subject, and in a SAN entry that is not optional', () => {
  const { problems } = expandNames(template, { id: 'd', serialNumber: null, identifiers: {} }, asksNothing);
  assert.deepEqual(problems, [
    'subject serialNumber: the device has no serialNumber',
    'subjectAltName dns: the device has no dnsName',
  ]);
});

test('a value that no certificate may name is a problem, also where the entry is optional', () => {
  const bad = named({ dnsName: '*.example.org', user: 'a@b', address: '10.0.0.0/8' });
  const { subjectAltName, problems } = expandNames(template, bad, asksNothing);
  assert.deepEqual(subjectAltName, [{ kind: 'uri', value: 'urn:device:sensor-7' }]);
  assert.equal(problems.length, 3);
});

test('problems repeat no value of the device', () => {
  const secret = 'Erika\0Mustermann';
  const { problems } = expandNames(
    template,
    { id: secret, serialNumber: secret, identifiers: { dnsName: secret } },
    asksNothing,
  );
  assert.ok(problems.length >= 3);
  assert.doesNotMatch(problems.join(), /Erika/u);
});

test('a template that cannot be expanded is a problem', () => {
  const broken: Template = {
    ...template,
    subject: [
      { type: 'toString', value: 'x' },
      { type: 'commonName', value: '{nonsense}' },
    ],
    subjectAltName: [{ kind: 'dns', value: '{', optional: true }],
  };
  assert.equal(expandNames(broken, device, asksNothing).problems.length, 3);
});

test('no name at all is a problem', () => {
  const nothing: Template = { ...template, subject: [], subjectAltName: [] };
  assert.deepEqual(expandNames(nothing, device, asksNothing).problems, [
    'the template names nothing: neither subject nor subjectAltName',
  ]);
});

test('a device fills its place in a URI and moves nothing else', () => {
  const pattern = withUri('https://example.org/{device.tag}/x');
  assert.deepEqual(expandNames(pattern, named({ tag: 'a-1' }), asksNothing).problems, []);
  for (const tag of ['..', 'a/b', 'a?b', 'a#b', '@evil.test', 'a%2fb', '.']) {
    assert.equal(expandNames(pattern, named({ tag }), asksNothing).problems.length, 1, tag);
  }
  const host = withUri('https://{device.tag}.example.org/');
  assert.equal(expandNames(host, named({ tag: 'evil.test/' }), asksNothing).problems.length, 1);
  const whole = expandNames(withUri('{device.uri}'), named({ uri: 'https://a.example/b?c' }), asksNothing);
  assert.deepEqual(whole.subjectAltName, [{ kind: 'uri', value: 'https://a.example/b?c' }]);
});

test('a Microsoft SID is built only where the template spells its prefix', () => {
  const sid = `${sidUriPrefix}S-1-5-21-1-2-3-500`;
  const spelled = expandNames(
    withUri(`${sidUriPrefix}{device.sid}`),
    named({ sid: 'S-1-5-21-1-2-3-1104' }),
    asksNothing,
  );
  assert.deepEqual(spelled.problems, []);
  assert.equal(expandNames(withUri('{device.uri}'), named({ uri: sid }), asksNothing).problems.length, 1);
  assert.equal(
    expandNames(withUri('{device.uri}'), named({ uri: sid.toUpperCase() }), asksNothing).problems.length,
    1,
  );
});

test('requested names are added where a rule admits them, in canonical form, up to its maximum', () => {
  const requested = asks(
    { kind: 'dns', value: 'SENSOR-7.example.org' },
    { kind: 'dns', value: 'A.lab.example.org' },
    { kind: 'dns', value: 'a.lab.example.org' },
    { kind: 'dns', value: '*.lab.example.org' },
    { kind: 'dns', value: 'evil.test' },
    { kind: 'uri', value: 'urn:x:lab.example.org' },
    { kind: 'dns', value: 'b.lab.example.org' },
    { kind: 'dns', value: 'c.lab.example.org' },
  );
  const { subjectAltName, problems } = expandNames(template, device, requested);
  assert.deepEqual(problems, []);
  assert.deepEqual(subjectAltName.slice(2), [
    { kind: 'dns', value: 'a.lab.example.org' },
    { kind: 'dns', value: 'b.lab.example.org' },
  ]);
});

test('a second rule takes what the first has no room for', () => {
  const rules: Template = {
    ...template,
    request: {
      ignoredSubjectAttributes: [],
      subjectAltName: [
        { kind: 'dns', within: 'a.example', maximum: 1 },
        { kind: 'dns', within: 'example', maximum: 1 },
      ],
    },
  };
  const requested = asks(
    ...['x.a.example', 'y.a.example', 'z.a.example'].map((value) => ({ kind: 'dns' as const, value })),
  );
  assert.equal(expandNames(rules, device, requested).subjectAltName.length, 4);
});

test('no rule admits a requested SID', () => {
  const open: Template = {
    ...template,
    request: { ignoredSubjectAttributes: [], subjectAltName: [{ kind: 'uri', within: 'tag:', maximum: 9 }] },
  };
  const { subjectAltName } = expandNames(
    open,
    device,
    asks({ kind: 'uri', value: `${sidUriPrefix}S-1-5-21-1` }),
  );
  assert.equal(subjectAltName.length, 2);
});
