import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { initialConfiguration, parseConfiguration } from '#config';
import { configurationFindings } from './findings.ts';

const findingsOf = (edit: (yaml: string) => string) =>
  configurationFindings(
    parseConfiguration(
      Buffer.from(edit(initialConfiguration({ name: 'Test' }))),
      path.join(import.meta.dirname, 'sallyport.yaml'),
    ),
  );

test('the initial configuration has no finding', () => {
  assert.deepEqual(
    findingsOf((yaml) => yaml),
    [],
  );
});

test('a listener below the floor, keys made here and a registration authority are findings', () => {
  const found = findingsOf((yaml) =>
    yaml
      .replace('minimum: TLSv1.3', 'minimum: TLSv1.2')
      .replace('authentication: [secret]', 'authentication: [secret, ra]\n    serverKeygen: ec-p256')
      .replace(
        '\nlimits:',
        '\nidentities:\n  branch:\n    kind: ra\n    certificates: [pki/ra.pem]\n    classes: [laptop]\n    templates: [device]\n\nlimits:',
      ),
  );
  assert.deepEqual(
    found.map((words) => words.split(' ').slice(0, 2).join(' ')),
    ['listener enroll', 'template device', 'registration authority'],
  );
});

test('each two identities that speak for one class are a finding, and a registration authority has its own', () => {
  const identity = (name: string, kind: string, classes: string) =>
    `  ${name}:\n    kind: ${kind}\n    certificates: [pki/${name}.pem]\n    classes: [${classes}]\n    templates: [device]\n`;
  const identities = [
    identity('one', 'idevid', 'laptop, iot'),
    identity('two', 'idevid', 'iot, laptop'),
    identity('fleet', 'mdm', 'laptop'),
    identity('other', 'idevid', 'server'),
    identity('branch', 'ra', 'laptop, server'),
  ];
  const found = findingsOf((yaml) =>
    yaml
      .replace('authentication: [secret]', 'authentication: [secret, idevid, mdm, ra]')
      .replace('\nlimits:', `\nidentities:\n${identities.join('')}\nlimits:`),
  );
  assert.deepEqual(
    found.map((words) => words.split(':')[0]),
    [
      'registration authority branch may ask for every device of its classes',
      'identities one and two both speak for class laptop',
      'identities one and two both speak for class iot',
      'identities one and fleet both speak for class laptop',
      'identities two and fleet both speak for class laptop',
    ],
  );
});

test('Apple’s evidence is a finding where nothing else says whose an account is', () => {
  const hardware = (more: string) =>
    [
      '\n  hardware:',
      '    issuer: issuing',
      '    keyAlgorithms: [ec-p256]',
      '    extendedKeyUsage: [clientAuth]',
      '    validity: 7d',
      '    subject: [{ commonName: "{device.id}" }]',
      '    keyProtection: hardware',
      '    authentication: [account]',
      `    acme: { challenges: [device-attest-01]${more} }`,
      '  device:\n',
    ].join('\n');
  const found = (more: string) =>
    findingsOf((yaml) =>
      yaml
        .replace('\n  device:\n', hardware(more))
        .replace(
          '\ndeviceClasses:\n',
          '\nattestation:\n  roots:\n    apple: { format: apple, certificates: [pki/apple.pem] }\n\ndeviceClasses:\n  mac: { attestation: required, evidence: { apple: { roots: [apple] } } }\n',
        ),
    );
  assert.deepEqual(found(''), []);
  const [finding] = found(', externalAccountKey: optional');
  assert.match(finding!, /^template hardware takes devices of class mac by evidence of Apple alone/);
});

test('several attestation CAs whose names for a device say not whose they are, are a finding', () => {
  const found = (roots: string, device: string) =>
    findingsOf((yaml) =>
      yaml.replace(
        '\ndeviceClasses:\n',
        [
          '\nattestation:',
          '  roots:',
          '    one: { format: tpm, certificates: [pki/one.pem], level: discrete-tpm }',
          '    two: { format: tpm, certificates: [pki/two.pem], level: discrete-tpm }',
          'deviceClasses:',
          `  pc: { attestation: required, evidence: { tpm: { roots: [${roots}]${device} } } }\n`,
        ].join('\n'),
      ),
    );
  assert.deepEqual(found('one', ''), []);
  assert.match(found('one, two', '')[0]!, /^class pc believes one, two by names that any of them can write/);
  const assigned = ', device: { from: permanentIdentifier, is: id, types: [1.3.6.1.4.1.32473.1] }';
  assert.deepEqual(found('one, two', assigned), []);
});
