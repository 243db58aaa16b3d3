import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const template = [
  '  attestation-key:',
  '    issuer: issuing',
  '    keyAlgorithms: [ec-p256, rsa-2048]',
  '    extendedKeyUsage: [tcgAttestationIdentityKey]',
  '    validity: 7d',
  '    authentication: [endorsement]',
  '',
].join('\n');
const roots =
  'attestation:\n  roots:\n    makers: { format: endorsement, certificates: [makers.pem], level: discrete-tpm }\n';
const listed = 'templates: [device, server, iot]';

/** A file with such a template, which a listener serves and a class proves. */
function file(from = '', to = '', more = ''): string {
  const withTemplate = edited('  device:\n', `${template.replace(from, to)}${more}  device:\n`);
  const withListener = edited(
    `est:\n        ${listed}`,
    `attestation: { templates: [attestation-key] }\n      est:\n        ${listed}`,
    withTemplate,
  );
  return edited('deviceClasses:\n', `${roots}deviceClasses:\n`, withListener);
}

const at = (key: string) => `templates.attestation-key.${key}`;

describe('templates of attestation keys', () => {
  test('name nothing, and are served by the protocol of their own', () => {
    assert.deepEqual(problemsOf(file()), []);
  });

  for (const [what, from, to, key, message] of [
    ['another layer', 'authentication: [', '§authentication: [secret, ', 'authentication', /stands alone/],
    [
      'another purpose',
      'extendedKeyUsage: [',
      '§extendedKeyUsage: [clientAuth, ',
      'extendedKeyUsage',
      /must be tcgAttestationIdentityKey, and nothing else/,
    ],
    [
      'another use',
      'validity',
      '§keyUsage: [digitalSignature, keyAgreement]\n    validity',
      'keyUsage',
      /digitalSignature/,
    ],
    ['a long life', '7d', '§32d', 'validity', /at most 31d/],
    [
      'a subject',
      'validity',
      '§subject: [{ commonName: "{device.id}" }]\n    validity',
      'subject',
      /no place beside endorsement/,
    ],
    [
      'names',
      'validity',
      '§subjectAltName: [{ dns: "{device.dnsName}" }]\n    validity',
      'subjectAltName',
      /no place beside endorsement/,
    ],
    [
      'names of the request',
      'validity',
      '§request: { subjectAltName: [{ dns: example.org }] }\n    validity',
      'request',
      /no place beside endorsement/,
    ],
    [
      'a key that the authority makes',
      'validity',
      'serverKeygen: §ec-p256\n    validity',
      'serverKeygen',
      /no place beside endorsement/,
    ],
    [
      'a channel binding',
      'validity',
      'channelBinding: §required\n    validity',
      'channelBinding',
      /no place beside endorsement/,
    ],
    [
      'an extension',
      'validity',
      '§extensions: [{ oid: 1.3.6.1.4.1.32473.1, value: "0500" }]\n    validity',
      'extensions',
      /no place beside endorsement/,
    ],
  ] as const) {
    test(`have no place for ${what}`, () => assertRefused(file(from, to), at(key), message));
  }

  test('are the only ones whose keys may attest', () => {
    const text = edited('[clientAuth]', '[clientAuth, §tcgAttestationIdentityKey]');
    const key = 'templates.device.extendedKeyUsage[1]';
    assertRefused(text, key, /^is for attestation keys of TPMs, which authentication: \[endorsement\] alone/);
  });

  test('are served by no other protocol, and it serves no others', () => {
    const path = 'listeners.enroll.protocols';
    assertRefused(
      edited(listed, 'templates: [device, server, iot, §attestation-key]', file()),
      `${path}.est.templates[3]`,
      /which protocols.attestation alone serves$/,
    );
    assertRefused(
      edited('templates: [attestation-key]', 'templates: [attestation-key, §device]', file()),
      `${path}.attestation.templates[1]`,
      /certifies no attestation keys: list endorsement in templates.device.authentication$/,
    );
  });

  test('believe no root of another format', () => {
    const evidence = (format: string) =>
      `attestation: none\n    evidence: { ${format}: { roots: [§makers] } }`;
    const text = edited('attestation: none', evidence('tpm'), file());
    assertRefused(text, 'deviceClasses.laptop.evidence.tpm.roots[0]', /is a set of roots of endorsement/);
    assert.deepEqual(
      problemsOf(edited('attestation: none', evidence('endorsement').replace('§', ''), file())),
      [],
    );
  });
});
