import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const verifier = [
  '      url: https://verifier.example/verify',
  '      ca: pki/verifier-ca.pem',
  '      client: { certificate: pki/client.pem, key: { file: keys/client.pem } }',
  '      key: { file: secrets/verifier }',
  '      formats: [samsung-knox]',
  '',
].join('\n');
const attestation = `attestation:\n  verifiers:\n    knox:\n${verifier}    chrome:\n${verifier.replace('samsung-knox', 'chromeos')}`;
const evidence = '    evidence:\n      external: { verifiers: [knox, chrome] }\n';

/** A file with two verifiers, whom a class believes. */
function file(from = '', to = ''): string {
  const required = '    attestation: required\n';
  const text = edited(
    required,
    `${required}${evidence}`,
    edited('deviceClasses:\n', `${attestation}deviceClasses:\n`),
  );
  assert.ok(text.includes(from), from);
  return text.replace(from, () => to);
}

const at = (key: string) => `attestation.verifiers.knox.${key}`;
const ofClass = 'deviceClasses.attested-laptop.evidence.external';

describe('verifiers of evidence', () => {
  test('are named by classes', () => assert.deepEqual(problemsOf(file()), []));

  const refusals: readonly [what: string, from: string, to: string, key: string, message: RegExp][] = [
    ['plain HTTP', 'https://verifier', '§http://verifier', at('url'), /^must be an https/],
    [
      'a time that no verdict lasts for',
      'formats: [s',
      'timeout: §30s\n      formats: [s',
      at('timeout'),
      /at most 8s/,
    ],
    [
      'a format that is read here',
      '[samsung-knox]',
      '[§tpm]',
      at('formats[0]'),
      /is a format that is read here/,
    ],
    ['a format of two words', '[samsung-knox]', '[§"a b"]', at('formats[0]'), /printable ASCII/],
    ['no format', 'formats: [samsung-knox]', '§formats: []', at('formats'), /at least 1/],
    [
      'a key in the file',
      '{ file: secrets/verifier }',
      '§0123456789',
      at('key'),
      /does not stand in this file/,
    ],
    [
      'a verifier that nobody knows',
      '[knox, chrome]',
      '[knox, §other]',
      `${ofClass}.verifiers[1]`,
      /verifier/,
    ],
    [
      'roots, which vouch for none of it',
      'verifiers: [knox, chrome]',
      'verifiers: [knox, chrome], §roots: [x]',
      `${ofClass}.roots`,
      /./,
    ],
  ];
  for (const [what, from, to, key, message] of refusals) {
    test(`refused: ${what}`, () => assertRefused(file(from, to), key, message));
  }

  test('refused: two of one class that read the same', () => {
    const text = file('formats: [chromeos]', 'formats: [chromeos, samsung-knox]');
    assertRefused(
      text.replace('[knox, chrome]', '[knox, §chrome]'),
      `${ofClass}.verifiers[1]`,
      /^reads samsung-knox, which another verifier of this class reads/,
    );
    assert.deepEqual(problemsOf(text.replace('[knox, chrome]', '[knox]')), []);
  });

  test('refused: without a certificate of ours, or a CA of its own', () => {
    for (const [line, key] of [
      ['      client: { certificate: pki/client.pem, key: { file: keys/client.pem } }\n', 'client'],
      ['      ca: pki/verifier-ca.pem\n', 'ca'],
      ['      key: { file: secrets/verifier }\n', 'key'],
    ] as const) {
      const problems = problemsOf(file(line, ''));
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0]!, new RegExp(`attestation.verifiers.knox.*${key}`));
    }
  });

  test('refused: roots that would vouch for what a verifier reads', () => {
    const roots = 'attestation:\n  roots:\n    x: { format: §external, certificates: [x.pem] }\n';
    assertRefused(
      file('attestation:\n  verifiers', `${roots}  verifiers`),
      'attestation.roots.x.format',
      /./,
    );
  });
});
