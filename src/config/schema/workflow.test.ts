import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const hook = (change: (lines: string) => string = (lines) => lines, template = '    workflows: [mdm]\n') =>
  edited(
    'secrets:\n',
    change(
      'workflows:\n  mdm:\n    kind: webhook\n    url: https://mdm.example/hook\n    key: { file: secrets/hook }\nsecrets:\n',
    ),
    edited('    authentication: [secret]\n', `    authentication: [workflow]\n${template}`),
  );
const intune = (change: (lines: string) => string = (lines) => lines, authentication = 'workflow') =>
  edited(
    'secrets:\n',
    change(
      'workflows:\n  mdm:\n    kind: intune\n    tenant: contoso.example\n    clientId: 11111111-2222-3333-4444-555555555555\n    clientSecret: { file: secrets/intune }\nsecrets:\n',
    ),
    edited(
      '    authentication: [secret]\n',
      `    authentication: [${authentication}]\n    workflows: [mdm]\n`,
    ),
  );

describe('workflows', () => {
  test('a webhook and Intune are taken', () => {
    assert.deepEqual(problemsOf(hook()), []);
    assert.deepEqual(problemsOf(intune()), []);
  });

  test('a webhook may also have a say beside secrets', () => {
    const text = hook().replace('authentication: [workflow]', 'authentication: [secret]');
    assert.deepEqual(problemsOf(text), []);
  });

  const refusals: [what: string, text: string, key: string, message: RegExp][] = [
    [
      'plain HTTP',
      hook((lines) => lines.replace('https://', '§http://')),
      'workflows.mdm.url',
      /^must be an https/,
    ],
    [
      'a password in the address',
      hook((lines) => lines.replace('https://', '§https://me:secret@')),
      'workflows.mdm.url',
      /^must have no user name/,
    ],
    [
      'a query in the address',
      hook((lines) => lines.replace('https://mdm.example/hook', '§https://mdm.example/hook?token=x')),
      'workflows.mdm.url',
      /^must have no user name, query/,
    ],
    [
      'a time that no verdict lasts for',
      hook((lines) => lines.replace('secrets/hook }\n', '$&    timeout: §30s\n')),
      'workflows.mdm.timeout',
      /^must be at most 8s/,
    ],
    [
      'a client id that is none',
      intune((lines) => lines.replace('11111111-2222', '§1111-2222')),
      'workflows.mdm.clientId',
      /^must be the id of an application/,
    ],
    [
      'a tenant with a slash',
      intune((lines) => lines.replace('contoso.example', '§contoso/../x')),
      'workflows.mdm.tenant',
      /^must be a tenant/,
    ],
  ];
  for (const [what, text, key, message] of refusals) {
    test(`refused: ${what}`, () => assertRefused(text, key, message));
  }
});

describe('challenges of templates', () => {
  const refusals: [what: string, text: string, key: string, message: RegExp][] = [
    [
      'a workflow that is not configured',
      hook(undefined, '    workflows: [§other]\n'),
      'templates.device.workflows[0]',
      /other is no workflow|no workflow/,
    ],
    [
      'workflow without workflows',
      edited('authentication: [secret]', '§authentication: [workflow]'),
      'templates.device.authentication',
      /^workflow needs workflows beside it/,
    ],
    [
      'whose a password is being open',
      hook().replace('authentication: [workflow]', '§authentication: [secret, workflow]'),
      'templates.device.authentication',
      /^lists secret and workflow/,
    ],
    [
      'Intune beside secrets alone',
      intune(undefined, 'secret').replace('workflows: [mdm]', 'workflows: [§mdm]'),
      'templates.device.workflows[0]',
      /^is Intune, which validates its own challenges alone/,
    ],
    [
      'a static challenge without its name in authentication',
      edited(
        '    authentication: [secret]\n',
        '    authentication: [secret]\n    §dangerousStaticChallenge: { challenge: { file: secrets/static } }\n',
      ),
      'templates.device.dangerousStaticChallenge',
      /stands both here and in authentication/,
    ],
    [
      'a static challenge in authentication alone',
      edited('authentication: [secret]', '§authentication: [dangerousStaticChallenge]'),
      'templates.device.authentication',
      /stands both here and in authentication/,
    ],
    [
      'a static challenge in the file itself',
      edited(
        '    authentication: [secret]\n',
        '    authentication: [dangerousStaticChallenge]\n    dangerousStaticChallenge: { challenge: §everybody-knows-it }\n',
      ),
      'templates.device.dangerousStaticChallenge.challenge',
      /^a secret does not stand in this file/,
    ],
  ];
  for (const [what, text, key, message] of refusals) {
    test(`refused: ${what}`, () => assertRefused(text, key, message));
  }
});
