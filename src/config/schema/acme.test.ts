import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const devices = [
  '  hardware:',
  '    issuer: issuing',
  '    keyAlgorithms: [ec-p256]',
  '    extendedKeyUsage: [clientAuth]',
  '    validity: 7d',
  '    subject: [{ commonName: "{device.id}" }]',
  '    keyProtection: hardware',
  '    authentication: [account]',
  '    acme: { challenges: [device-attest-01] }',
  '',
].join('\n');
const names = devices
  .replace('keyProtection: hardware', 'request: { subjectAltName: [{ dns: "example.org" }] }')
  .replace('[device-attest-01]', '[dns-01]')
  .replace('    subject: [{ commonName: "{device.id}" }]\n', '');

function file(template: string, from = '', to = ''): string {
  return edited('  device:\n', `${template.replace(from, () => to)}  device:\n`);
}

const at = (key: string) => `templates.hardware.${key}`;

describe('templates by which devices are ordered', () => {
  test('take accounts with an external account key, or without where they say so', () => {
    assert.deepEqual(problemsOf(file(devices)), []);
    const optional = file(devices, 'challenges', 'externalAccountKey: optional, challenges');
    assert.deepEqual(problemsOf(optional), []);
  });

  test('may name a device as it was ordered', () => {
    assert.deepEqual(problemsOf(file(devices, 'challenges', 'embedIdentifier: true, challenges')), []);
  });

  for (const [what, from, to, key, message] of [
    ['another challenge', 'challenges: [', '§challenges: [dns-01, ', 'acme.challenges', /stands alone/],
    [
      'keys that nobody proves',
      'hardware\n    auth',
      '§declared\n    auth',
      'keyProtection',
      /must be hardware/,
    ],
    [
      'names of the request',
      'validity',
      'request: { §subjectAltName: [{ dns: "example.org" }] }\n    validity',
      'request.subjectAltName',
      /chooses no names/,
    ],
  ] as const) {
    test(`have no place for ${what}`, () => assertRefused(file(devices, from, to), at(key), message));
  }
});

test('templates by which names are ordered take no account without an external account key', () => {
  assert.deepEqual(problemsOf(file(names)), []);
  const optional = file(names, 'challenges', 'externalAccountKey: §optional, challenges');
  assertRefused(optional, at('acme.externalAccountKey'), /^must be required without device-attest-01/);
});

test('templates by which names are ordered name no device', () => {
  const embedding = file(names, 'challenges', 'embedIdentifier: §true, challenges');
  assertRefused(embedding, at('acme.embedIdentifier'), /^must be false without device-attest-01/);
});
