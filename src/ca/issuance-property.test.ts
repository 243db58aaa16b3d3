import { generateSoftwareKey } from '#keys';
import { attributeTypes, type GeneralName, type Name, sidUriPrefix } from '#x509';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareRequest } from './compare-request.ts';
import {
  asksNothing,
  exampleAuthority,
  examplePlan,
  template as exampleTemplate,
} from './example-authority.fixture.ts';
import { lintFindings } from './lint.ts';
import type { DeviceNames } from './name-pattern.ts';
import { buildTbs } from './tbs.ts';
import { expandNames, type RequestedNames } from './template-names.ts';
import type { RequestedNameRule, Template } from './template.ts';

const { issuer } = await exampleAuthority();
const { spki } = await generateSoftwareKey('ec-p256');

/** Values that are nearly right, beside any at all: what is plain wrong never reaches the interesting rules. */
const word = fc.stringMatching(/^[a-zA-Z0-9-]{1,12}$/u);
const host = fc.array(word, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const strange = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(
    '',
    '*',
    '..',
    'a\0b',
    '\u202e',
    '{device.id}',
    `${sidUriPrefix}S-1-5-21-500`,
    'a@b@c',
    '10.0.0.1',
    '::ffff:1.2.3.4',
    '\u212a.example',
  ),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);
const value = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 3, arbitrary: host },
  { weight: 1, arbitrary: fc.ipV4() },
  { weight: 1, arbitrary: fc.ipV6() },
  { weight: 1, arbitrary: fc.emailAddress() },
  { weight: 1, arbitrary: fc.webUrl() },
  { weight: 2, arbitrary: strange },
);
/** What the field is for, mostly. */
const mostly = (proper: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: proper }, { weight: 1, arbitrary: value });
const device: fc.Arbitrary<DeviceNames> = fc.record({
  id: mostly(word),
  serialNumber: fc.option(mostly(word)),
  identifiers: fc.record(
    {
      dnsName: mostly(host),
      user: mostly(word),
      address: mostly(fc.oneof(fc.ipV4(), fc.ipV6())),
      uri: mostly(fc.webUrl()),
      tag: mostly(word),
    },
    { requiredKeys: ['dnsName', 'tag'] },
  ),
});

const pattern = fc
  .array(
    fc.constantFrom(
      '{device.id}',
      '{device.serialNumber}',
      '{device.dnsName}',
      '{device.tag}',
      '{device.none}',
      'x',
      '.',
      '@',
      '/',
      ' ',
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((parts) => parts.join(''));
const kind = fc.constantFrom('dns', 'uri', 'email', 'ip');
const template: fc.Arbitrary<Template> = fc
  .record({
    subject: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...exampleTemplate.subject) },
        {
          weight: 1,
          arbitrary: fc.record({
            type: fc.constantFrom('commonName', 'countryName', 'emailAddress'),
            value: pattern,
          }),
        },
      ),
      { maxLength: 3 },
    ),
    subjectAltName: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...exampleTemplate.subjectAltName) },
        { weight: 1, arbitrary: fc.record({ kind, value: pattern, optional: fc.boolean() }) },
        {
          weight: 1,
          arbitrary: fc.constant({ kind: 'uri' as const, value: '{device.uri}', optional: true }),
        },
      ),
      { maxLength: 3 },
    ),
    request: fc.record({
      ignoredSubjectAttributes: fc.subarray(['commonName', 'countryName', attributeTypes['userId'] ?? '']),
      subjectAltName: fc.array(
        fc.record({
          kind,
          within: fc.oneof(
            host,
            fc.constantFrom('urn:', 'https://a.example', '10.0.0.0/8', '::/0', 'tag:', '', 'a'),
          ),
          maximum: fc.integer({ min: 0, max: 3 }),
        }),
        { maxLength: 3 },
      ),
    }),
  })
  .map((changes) => ({ ...exampleTemplate, ...changes }));

/** Requests that ask for what this template builds for this device, for parts of it, for near misses and for anything. */
function requestFor(by: Template, of: DeviceNames): fc.Arbitrary<RequestedNames> {
  const built = expandNames(by, of, asksNothing);
  const below = by.request.subjectAltName.flatMap((rule) => [
    rule.within,
    `x.${rule.within}`,
    `${rule.within}x`,
    `a@${rule.within}`,
  ]);
  const anyName: fc.Arbitrary<GeneralName> = fc.oneof(
    fc.record({ kind, value: fc.oneof(value, fc.constantFrom('', ...below)) }),
    fc.record({ kind: fc.constant('registeredId' as const), value: fc.constant('1.2.3') }),
    fc.record({ kind: fc.constant('directoryName' as const), value: fc.constant(built.subject) }),
  );
  const anyAttribute = fc.record({
    type: fc.constantFrom(...Object.values(attributeTypes)),
    value: fc.oneof(value, fc.constantFrom('', ...built.subject.flat().map((attribute) => attribute.value))),
    encoding: fc.constantFrom('utf8' as const, 'printable' as const, 'bmp' as const),
  });
  const strangers = <T>(one: fc.Arbitrary<T>) =>
    fc.oneof(fc.constant<T[]>([]), fc.array(one, { maxLength: 3 }));
  return fc.record({
    subject: fc
      .tuple(fc.subarray([...built.subject]), strangers(fc.array(anyAttribute, { maxLength: 2 })))
      .map(([ours, theirs]): Name => [...ours, ...theirs]),
    subjectAltName: fc
      .tuple(fc.subarray(built.subjectAltName), fc.array(anyName, { maxLength: 4 }))
      .map(([ours, theirs]) => [...ours, ...theirs]),
    extensions: fc.constant([]),
  });
}

const cases = fc.record({ template, device }).chain((chosen) =>
  fc.record({
    template: fc.constant(chosen.template),
    device: fc.constant(chosen.device),
    requested: requestFor(chosen.template, chosen.device),
  }),
);

/** Letter case of hosts and the spelling of addresses aside: what a careless reader would take for the same name. */
function key(name: GeneralName): string {
  if (name.kind === 'ip') {
    const url = URL.parse(name.value.includes(':') ? `http://[${name.value}]/` : `http://${name.value}/`);
    return `ip ${url?.hostname ?? name.value}`;
  }
  const text = typeof name.value === 'string' ? name.value : JSON.stringify(name.value);
  return name.kind === 'dns' || name.kind === 'email'
    ? `${name.kind} ${text.toLowerCase()}`
    : `${name.kind} ${text}`;
}

/** Necessary, not sufficient: what any name under the rule looks like. */
function looksWithin({ kind: of, within, maximum }: RequestedNameRule, name: GeneralName): boolean {
  if (of !== name.kind || maximum === 0 || within === '') return false;
  if (name.kind === 'ip') return true;
  return name.kind === 'uri' ? name.value.startsWith(within) : key(name).endsWith(within.toLowerCase());
}

/** Substitution in its plainest form. */
function substituted(pattern: string, { id, serialNumber, identifiers }: DeviceNames): string {
  const values = { ...identifiers, id, serialNumber: serialNumber ?? '' };
  return pattern.replace(/\{device\.(\w+)\}/gu, (_, name: keyof typeof values) => values[name] ?? '');
}

test('whatever is built passes lint', () => {
  let built = 0;
  fc.assert(
    fc.property(cases, ({ template: by, device: of, requested }) => {
      const { subject, subjectAltName, problems } = expandNames(by, of, requested);
      if (problems.length > 0) return;
      const plan = examplePlan(spki, { template: by, subject, subjectAltName });
      assert.deepEqual(lintFindings(buildTbs(plan, issuer), plan, issuer), []);
      built += 1;
    }),
    { numRuns: 1000 },
  );
  assert.ok(built > 100, `only ${built} cases were without problems`);
});

test('no certificate has a name outside the template and its rules', () => {
  fc.assert(
    fc.property(cases, ({ template: by, device: of, requested }) => {
      const { subject, subjectAltName } = expandNames(by, of, requested);
      const fromTemplate = new Set(
        by.subjectAltName.map((entry) => key({ kind: entry.kind, value: substituted(entry.value, of) })),
      );
      const fromRequest = new Set(requested.subjectAltName.map(key));
      const admitted = subjectAltName.filter((name) => !fromTemplate.has(key(name)));
      for (const name of admitted) {
        assert.ok(fromRequest.has(key(name)), 'asked for');
        assert.ok(
          by.request.subjectAltName.some((rule) => looksWithin(rule, name)),
          'under a rule',
        );
      }
      const room = by.request.subjectAltName.reduce((sum, { maximum }) => sum + maximum, 0);
      assert.ok(admitted.length <= room, 'within the maximum');
      const values = new Set(by.subject.map((entry) => substituted(entry.value, of)));
      for (const attribute of subject.flat()) assert.ok(values.has(attribute.value));
    }),
    { numRuns: 1000 },
  );
});

test('comparing never lets a name pass that the certificate will not have', () => {
  let passed = 0;
  fc.assert(
    fc.property(cases, ({ template: by, device: of, requested }) => {
      const expanded = expandNames(by, of, requested);
      const objections = compareRequest(by, expanded, requested);
      if (objections.subjectAltName === null && objections.noSid === null) {
        const built = new Set(expanded.subjectAltName.map(key));
        for (const name of requested.subjectAltName) assert.ok(built.has(key(name)));
        if (requested.subjectAltName.length > 0) passed += 1;
      }
      if (objections.subject === null) {
        const ignored = by.request.ignoredSubjectAttributes.map((name) => attributeTypes[name] ?? name);
        for (const { type, value: asked } of requested.subject.flat()) {
          const same = expanded.subject
            .flat()
            .some((attribute) => attribute.type === type && attribute.value === asked);
          assert.ok(same || ignored.includes(type));
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(passed > 10, `only ${passed} requests for names passed`);
});

test('any extensions of a request give objections or none, and never a throw', () => {
  const extension = fc.record({
    oid: fc.oneof(
      fc.constantFrom(
        '2.5.29.15',
        '2.5.29.17',
        '2.5.29.19',
        '2.5.29.37',
        '2.5.29.14',
        '1.3.6.1.4.1.311.20.2',
        '1.3.6.1.4.1.311.25.2',
      ),
      fc.string(),
    ),
    critical: fc.boolean(),
    value: fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.toBase64()),
      fc.string({ maxLength: 20 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(extension, { maxLength: 4 }), (extensions) => {
      const requested = { ...asksNothing, extensions };
      const expanded = { subject: [], subjectAltName: [] };
      for (const words of Object.values(compareRequest(exampleTemplate, expanded, requested))) {
        assert.ok(words === null || typeof words === 'string');
      }
    }),
    { numRuns: 1000 },
  );
});
