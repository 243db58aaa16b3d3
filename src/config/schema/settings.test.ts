import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused, edited, problemsOf } from '../marked-file.fixture.ts';

const howToRefer = /^a secret does not stand in this file: write \{ file: PATH \} or \{ env: NAME \}/;
const passphrase = '{ file: secrets/passphrase }';
const keyPassphrase = 'issuers.issuing.key.passphrase';

describe('sallyport.yaml', () => {
  const refusals: [name: string, from: string, to: string, key: string, message: RegExp][] = [
    ['an unknown section', '\nlog:', '\n§limit: {}\nlog:', 'limit', /^unknown key; did you mean "limits"\?$/],
    [
      'an unknown key',
      '  data: data',
      '  §tenant: a',
      'authority.tenant',
      /^unknown key; known here: name, data$/,
    ],
    [
      'a section that is a list',
      '  laptop:\n',
      '  §printer: []\n  laptop:\n',
      'deviceClasses.printer',
      /^expected a map, found a list$/,
    ],
    [
      'a section with nothing',
      '  laptop:\n',
      '  §printer:\n  laptop:\n',
      'deviceClasses.printer',
      /^expected a map, found nothing$/,
    ],
    ['an empty name', 'name: "Example"', 'name: §""', 'authority.name', /^must have at least 1 characters$/],
    [
      'a control character in the name',
      'name: "Example"',
      'name: §"a\\u0007"',
      'authority.name',
      /control characters/,
    ],
    ['an empty path', 'data: data', 'data: §""', 'authority.data', /^a path is not empty$/],
    ['a secret in plain text', passphrase, '§hunter2', keyPassphrase, howToRefer],
    ['a secret that is a number', passphrase, '§12345678', keyPassphrase, howToRefer],
    [
      'a secret of both kinds',
      `passphrase: ${passphrase}`,
      '§passphrase: { file: a, env: B }',
      keyPassphrase,
      /^a secret is either/,
    ],
    [
      'a secret of no kind',
      `passphrase: ${passphrase}`,
      '§passphrase: {}',
      keyPassphrase,
      /^a secret is either/,
    ],
    [
      'a name that is no variable',
      passphrase,
      '{ env: §A-B }',
      `${keyPassphrase}.env`,
      /name of an environment variable/,
    ],
    [
      'an issuer without chain',
      '    chain: [pki/root.pem]\n',
      '    §chain: []\n',
      'issuers.issuing.chain',
      /^must list at least 1$/,
    ],
    [
      'https for CRLs',
      'http://127.0.0.1:8444',
      '§https://127.0.0.1:8444',
      'issuers.issuing.publicUrl',
      /^must be http: .*RFC 5280 section 8/,
    ],
    [
      'a URL with query',
      'http://127.0.0.1:8444',
      '§http://127.0.0.1/?a',
      'issuers.issuing.publicUrl',
      /^must be an http URL/,
    ],
    ['no URL', 'http://127.0.0.1:8444', '§ca.example', 'issuers.issuing.publicUrl', /^must be an http URL/],
    [
      'a CRL refreshed too late',
      'refresh: 1d',
      'refresh: §7d',
      'issuers.issuing.crl.refresh',
      /^must be shorter than the lifetime$/,
    ],
    [
      'the word for no class',
      '  laptop:\n',
      '  §unknown:\n',
      'deviceClasses.unknown',
      /no device is known yet/,
    ],
    [
      'a class with no templates',
      '    templates: [iot]\n',
      '    §templates: []\n',
      'deviceClasses.iot.templates',
      /^must list at least 1$/,
    ],
    ['a rate of nothing', 'burst: 600', 'burst: §0', 'limits.source.burst', /^must be at least 1$/],
    [
      'a rate without period',
      'device: { burst: 5, count: 10, period: 1d }',
      '§device: { burst: 5, count: 10 }',
      'limits.device.period',
      /^is required$/,
    ],
    [
      'a rate that is text',
      'device: { burst: 5, count: 10, period: 1d }',
      'device: §10/d',
      'limits.device',
      /^expected a map, found text$/,
    ],
    [
      'a life longer than the longest',
      'lifetime: 1h',
      'lifetime: §8d',
      'secrets.lifetime',
      /^must not be longer than maximumLifetime$/,
    ],
    [
      'two MAC keys with one id',
      '    - id: mac-1\n',
      '    - { id: mac-1, key: { env: A } }\n    - id: §mac-1\n',
      'secrets.macKeys[1].id',
      /^another key has this id$/,
    ],
    [
      'no MAC keys',
      '  macKeys:\n    - id: mac-1\n      key: { file: secrets/mac-1 }\n',
      '  §macKeys: []\n',
      'secrets.macKeys',
      /^must list at least 1$/,
    ],
    [
      'an origin with spaces',
      'origin: "example/log"',
      'origin: §"example log"',
      'log.origin',
      /^an origin is a name/,
    ],
    [
      'an origin with a scheme',
      'origin: "example/log"',
      'origin: §https://ca.example/log',
      'log.origin',
      /^an origin is a name/,
    ],
    [
      'a duration without unit',
      'retryAfter: 30s',
      'retryAfter: §30',
      'approvals.retryAfter',
      /^a duration is a whole number and one unit/,
    ],
    [
      'a duration in words',
      'retryAfter: 30s',
      'retryAfter: §half an hour',
      'approvals.retryAfter',
      /^a duration is a whole number and one unit/,
    ],
  ];
  for (const [name, from, to, key, message] of refusals) {
    test(`refused: ${name}`, () => assertRefused(edited(from, to), key, message));
  }

  test('a key written wrong is missing, too', () => {
    assert.deepEqual(problemsOf(edited('  laptop:\n    attestation:', '  laptop:\n    attestaton:')), [
      '134:3 deviceClasses.laptop.attestation: is required: must be one of none, required',
      '135:5 deviceClasses.laptop.attestaton: unknown key; did you mean "attestation"?',
    ]);
    assert.deepEqual(problemsOf(edited('ndjson: { file: log/events.ndjson }', 'syslog: {}')), [
      '179:5 log.sinks.siem.ndjson: is required',
      '180:7 log.sinks.siem.syslog: unknown key; known here: ndjson',
    ]);
  });
});
