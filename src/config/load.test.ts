import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { SallyportError, isSallyportError } from '#errors';
import { initialConfiguration } from './initial.ts';
import { loadConfiguration, parseConfiguration } from './load.ts';
import { assertRefused, edited, problemsOf } from './marked-file.fixture.ts';

const good = initialConfiguration({ name: 'Example' });
const load = (text: string) => parseConfiguration(Buffer.from(text), '/srv/ca/sallyport.yaml');

test('paths count from the folder of the file and come out absolute', () => {
  const configuration = load(edited('data: data', 'data: /var/lib/sallyport/../ca'));
  assert.equal(configuration.authority.data, '/var/lib/ca');
  assert.equal(configuration.directory, '/srv/ca');
  const [issuer] = configuration.issuers;
  assert.deepEqual(
    [issuer?.certificate, issuer?.chain, issuer?.key],
    [
      '/srv/ca/pki/issuing.pem',
      ['/srv/ca/pki/root.pem'],
      { file: '/srv/ca/keys/issuing.key.pem', passphrase: { file: '/srv/ca/secrets/passphrase' } },
    ],
  );
  assert.deepEqual(configuration.log.sinks, [
    { name: 'siem', kind: 'ndjson', file: '/srv/ca/log/events.ndjson', personalFields: 'opened' },
  ]);
});

test('rollover certificates are paths too, and there are none without', () => {
  const rollover = (text: string) => load(text).issuers[0]?.rollover;
  assert.deepEqual(rollover(good), []);
  const chain = 'chain: [pki/root.pem]';
  const more = edited(chain, `${chain}\n    rollover: [pki/old.pem, /srv/new.pem]`);
  assert.deepEqual(rollover(more), ['/srv/ca/pki/old.pem', '/srv/new.pem']);
});

test('the CA that follows is named by paths, and there is none without', () => {
  const next = (text: string) => load(text).issuers[0]?.next;
  assert.equal(next(good), null);
  const crl = '    crl: { lifetime: 7d';
  const root = edited(crl, `    next: { certificate: pki/next.pem }\n${crl}`);
  assert.deepEqual(next(root), { certificate: '/srv/ca/pki/next.pem', chain: [], ra: null });
  const whole = edited(crl, `    next: { certificate: /n, chain: [pki/r.pem], ra: pki/ra.pem }\n${crl}`);
  assert.deepEqual(next(whole), {
    certificate: '/n',
    chain: ['/srv/ca/pki/r.pem'],
    ra: '/srv/ca/pki/ra.pem',
  });
});

test('a template comes out as the CA takes it', () => {
  const text = edited(
    '    authentication: [secret]',
    '    authentication: [secret]\n    request:\n      subjectAltName:\n        - dns: lab.example\n          maximum: 3',
  );
  assert.deepEqual(load(text).templates[0], {
    name: 'device',
    issuer: 'issuing',
    subject: [{ type: 'commonName', value: '{device.id}' }],
    subjectAltName: [
      { kind: 'dns', value: '{device.dnsName}', optional: true },
      { kind: 'uri', value: 'urn:serial:{device.serialNumber}', optional: true },
    ],
    request: {
      ignoredSubjectAttributes: [
        'countryName',
        'stateOrProvinceName',
        'localityName',
        'organizationName',
        'organizationalUnitName',
      ],
      subjectAltName: [{ kind: 'dns', within: 'lab.example', maximum: 3, wildcard: false }],
    },
    keyAlgorithms: ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'],
    keyProtection: 'declared',
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
    validitySeconds: 365 * 86_400,
    renewalWindowSeconds: 365 * 86_400,
    authentication: ['secret'],
    workflows: [],
    requestedDevice: { column: 'id', from: 'commonName' },
    legacyAlgorithms: [],
    policies: [],
    extensions: [],
    renewal: { key: 'any', omittedNames: 'refused', changeSubjectName: false },
    channelBinding: 'optional',
    serverKeygen: null,
  });
});

test('renewal is open for a third of the validity where the template says nothing', () => {
  const text = edited('    renewalWindow: always\n', '', good.replace(/^ *# In production.*\n/m, ''));
  assert.equal(load(text).templates[0]?.renewalWindowSeconds, Math.floor((365 * 86_400) / 3));
});

test('nobody changes a configuration in passing', () => {
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  assert.ok(isFrozen(load(good)));
});

test('every problem is listed, in the order of the file', () => {
  const text = good
    .replace('name: "Example"', 'name: 7')
    .replace('sources:', 'sorces:')
    .replace('validity: 365d', 'validity: 365')
    .replace('retryAfter: 30s', 'retryAfter: soon');
  const problems = problemsOf(text).map((problem) => problem.replace(/^\d+:/, ''));
  assert.deepEqual(problems, [
    '9 authority.name: expected text, found a number (put it in quotes where text is meant)',
    '3 listeners.enroll.sources: is required',
    '5 listeners.enroll.sorces: unknown key; did you mean "sources"?',
    '15 templates.device.validity: a duration is a whole number and one unit: 15s, 30m, 1h or 90d',
    '15 approvals.retryAfter: a duration is a whole number and one unit: 15s, 30m, 1h or 90d',
  ]);
});

test('of very many problems the first hundred are listed', () => {
  const unknown = Array.from({ length: 150 }, (_, index) => `x${index}: 1\n`).join('');
  const problems = problemsOf(unknown + good);
  assert.equal(problems.length, 101);
  assert.equal(problems.at(-1), 'and 50 more');
});

describe('what is not a configuration file', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  const refused = (content: string | Uint8Array | null, message: RegExp) => {
    const file = join(folder, 'sallyport.yaml');
    if (content !== null) writeFileSync(file, content);
    assert.throws(
      () => loadConfiguration(file),
      (error) =>
        isSallyportError(error, 'config') &&
        error.message.startsWith(`${file}:`) &&
        message.test(error.message),
    );
  };

  test('a missing file', () =>
    refused(null, /cannot be read \(ENOENT\); `sallyport init` writes a first one/));
  test('more than 1 MiB', () => refused(`#${'x'.repeat(1_048_576)}`, /is longer than 1048576 bytes/));
  test('bytes that are not UTF-8', () => refused(Buffer.from([0x61, 0xff]), /is not UTF-8 text/));
  test('an empty file', () => refused('', /:1:1 \(top level\): expected a map, found nothing/));
  test('a list', () => refused('- a\n', /:1:1 \(top level\): expected a map, found a list/));

  test('1 MiB of comment is none of these', () => {
    const file = join(folder, 'long.yaml');
    writeFileSync(file, `${good}#${'x'.repeat(1_048_575 - Buffer.byteLength(good))}`);
    assert.equal(loadConfiguration(file).directory, folder);
  });

  test('with the environment, secrets are looked at', () => {
    const text = edited(
      'passphrase: { file: secrets/passphrase }',
      'passphrase: { env: §SALLYPORT_PASSPHRASE }',
    );
    assertRefused(
      text,
      'issuers.issuing.key.passphrase.env',
      /^environment variable SALLYPORT_PASSPHRASE is not set$/,
      {},
    );
    assert.deepEqual(problemsOf(text.replace('§', ''), { SALLYPORT_PASSPHRASE: 'x' }), []);
    assert.deepEqual(problemsOf(text.replace('§', '')), []);

    const open = join(folder, 'open');
    writeFileSync(open, 'x');
    chmodSync(open, 0o644);
    const exposed = edited('file: secrets/mac-1', `file: §${open}`);
    assertRefused(exposed, 'secrets.macKeys[0].key.file', /can be read by others/, {});
    assertRefused(
      edited('{ file: secrets/mac-1 }', '{ env: §MAC }'),
      'secrets.macKeys[0].key.env',
      /fewer than 32/,
      { MAC: 'x' },
    );
  });
});

test('arbitrary bytes give a configuration or a SallyportError', () => {
  const bytes = Buffer.from(good);
  const changedBytes = fc
    .array(
      fc.tuple(
        fc.nat(bytes.length),
        fc.nat(8),
        fc.oneof(
          fc.string({ maxLength: 8 }),
          fc.constantFrom('\n', '  ', ': ', '- ', '[', '}', 'null', '0', '__proto__: 1'),
        ),
      ),
      { maxLength: 4 },
    )
    .map((edits) => {
      let text = good;
      for (const [at, removed, added] of edits) text = text.slice(0, at) + added + text.slice(at + removed);
      return Buffer.from(text);
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), changedBytes), (input) => {
      try {
        assert.ok(Object.isFrozen(parseConfiguration(input, 'sallyport.yaml')));
      } catch (error) {
        assert.ok(error instanceof SallyportError, String(error));
        assert.equal(error.code, 'config');
      }
    }),
    { numRuns: 150 },
  );
});

test('any value in any place gives a configuration or a SallyportError', () => {
  const scalar = /(?<=(?:: |- |\[|, ))[^\s[\]{},#][^\n[\]{},#]*/g;
  const places = [...good.matchAll(scalar)].filter(([value]) => !value.includes(':'));
  const value = fc.oneof(
    fc.jsonValue().map((json) => JSON.stringify(json)),
    fc.constantFrom('""', 'null', '{}', '[]', '-1', '.inf', '.nan', '1e999', '{ file: a }'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...places), value, (place, replacement) => {
      const text = good.slice(0, place.index) + replacement + good.slice(place.index + place[0].length);
      for (const problem of problemsOf(text)) assert.match(problem, /^\d+:\d+ \S.*: ./);
    }),
    { numRuns: 150 },
  );
});
