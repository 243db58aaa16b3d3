import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialConfiguration } from './initial.ts';
import { parseConfiguration } from './load.ts';
import { edited } from './marked-file.fixture.ts';
import { reloadable } from './reload.ts';

const load = (text: string) => parseConfiguration(Buffer.from(text), '/srv/ca/sallyport.yaml');
const running = load(initialConfiguration({ name: 'Example' }));
const planFor = (from: string, to: string) => reloadable(running, load(edited(from, to)));

test('the same file changes nothing', () => {
  const next = load(`${initialConfiguration({ name: 'Example' })}# a comment\n`);
  assert.deepEqual(reloadable(running, next), { changed: [], needsRestart: [] });
});

const changes: [from: string, to: string, changed: string][] = [
  ['validity: 365d', 'validity: 300d', 'templates.device'],
  ['  laptop:\n', '  tablet:\n    attestation: none\n  laptop:\n', 'deviceClasses.tablet'],
  ['count: 300,', 'count: 301,', 'limits.source'],
  ['lifetime: 1h', 'lifetime: 2h', 'secrets.lifetimeSeconds'],
  ['    - id: mac-1', '    - id: mac-2\n      key: { env: MAC }\n    - id: mac-1', 'secrets.macKeys'],
  ['retryAfter: 30s', 'retryAfter: 1s', 'approvals.retryAfterSeconds'],
  ['approvals:', 'policy: { additional: [more.cedar] }\napprovals:', 'policy.additional'],
  ['sources: [127.0.0.0/8,', 'sources: [', 'listeners.enroll.sources'],
  ['        defaultTemplate: device\n', '', 'listeners.enroll.protocols'],
  ['pki/listener.pem', 'pki/other.pem', 'listeners.enroll.tls.certificate'],
  ['pki/listener.pem\n', 'pki/listener.pem\n      chain: [pki/issuing.pem]\n', 'listeners.enroll.tls.chain'],
  ['    crl: {', '    next: { certificate: pki/next.pem }\n    crl: {', 'issuers.issuing.next'],
];
for (const [from, to, path] of changes) {
  test(`${path} changes at once`, () =>
    assert.deepEqual(planFor(from, to), { changed: [path], needsRestart: [] }));
}

test('a listener whose certificate the authority is to issue has it at once, with other names too', () => {
  const issued = (names: string) =>
    load(edited('certificate: pki/listener.pem', `issued: { issuer: issuing, names: [${names}] }`));
  assert.deepEqual(reloadable(running, issued('a.example')), {
    changed: ['listeners.enroll.tls.certificate', 'listeners.enroll.tls.issued'],
    needsRestart: [],
  });
  assert.deepEqual(reloadable(issued('a.example'), issued('b.example')), {
    changed: ['listeners.enroll.tls.issued'],
    needsRestart: [],
  });
  const other = edited('minimum: TLSv1.3', 'minimum: TLSv1.2', edited('listener.pem', 'other.pem'));
  assert.deepEqual(reloadable(running, load(other)), { changed: [], needsRestart: ['listeners.enroll.tls'] });
});

const anotherIssuer = `\
    certificate: pki/other.pem
    chain: [pki/root.pem]
    key: { file: keys/other.pem, passphrase: { file: secrets/other } }
    publicUrl: http://127.0.0.1:8444
`;
const restarts: [from: string, to: string, needsRestart: string[]][] = [
  ['name: "Example"', 'name: "Other"', ['authority.name']],
  ['data: data', 'data: elsewhere', ['authority.data']],
  ['lifetime: 7d, refresh', 'lifetime: 8d, refresh', ['issuers.issuing.crl']],
  ['port: 8443', 'port: 9443', ['listeners.enroll.port']],
  ['minimum: TLSv1.3', 'minimum: TLSv1.2', ['listeners.enroll.tls']],
  ['socket: run/admin.sock', 'socket: run/a.sock', ['listeners.admin.socket']],
  // Called like what may change of an issuer.
  ['issuers:\n', `issuers:\n  next:\n${anotherIssuer}`, ['issuers.next']],
  ['  public:\n', '  open:\n', ['listeners.open', 'listeners.public']],
  ['checkpointInterval: 1s', 'checkpointInterval: 2s', ['log.checkpointIntervalSeconds']],
  ['    siem:\n', '    other:\n', ['log.sinks']],
];
for (const [from, to, paths] of restarts) {
  test(`${paths.join(' and ')} need a restart`, () =>
    assert.deepEqual(planFor(from, to), { changed: [], needsRestart: paths }));
}

test('another file needs a restart', () => {
  const moved = parseConfiguration(
    Buffer.from(initialConfiguration({ name: 'Example' })),
    '/srv/ca/other.yaml',
  );
  assert.deepEqual(reloadable(running, moved), { changed: [], needsRestart: ['file'] });
});
