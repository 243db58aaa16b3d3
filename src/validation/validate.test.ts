import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Perspective, validate, validateCaa } from '#validation';
import {
  challengeFor,
  digestOf,
  dnsServer,
  httpServer,
  keyAuthorization,
  type Listening,
  provesControl,
  settingsFor,
} from '../../test/harness/challenge.ts';
import { suiteCleanup } from '../../test/harness/cleanup.ts';
import type { DnsServer } from '../../test/harness/dns-server.ts';

describe('a validation', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  let elsewhere: DnsServer;
  let server: Listening;
  before(async () => {
    dns = await dnsServer(cleanup);
    elsewhere = await dnsServer(cleanup);
    dns.addresses('device.example', '127.0.0.1');
    server = await httpServer(cleanup, provesControl);
  });
  const place = (changes: Partial<Perspective> = {}): Perspective => ({
    name: 'branch',
    resolvers: [elsewhere.resolver],
    localAddress: null,
    ...changes,
  });
  const outcome = (perspectives: readonly Perspective[]) =>
    validate(
      challengeFor('http-01', 'device.example'),
      settingsFor(dns, { httpPort: server.port, perspectives }),
    );

  test('holds from each perspective, which asks and connects from its own address', async () => {
    elsewhere.addresses('device.example', '127.0.0.1');
    server.connections.length = 0;
    const found = await outcome([place({ localAddress: '127.0.0.5' })]);
    assert.deepEqual(found, { valid: true, addresses: ['127.0.0.1', '127.0.0.1'] });
    assert.deepEqual(server.connections.toSorted(), ['127.0.0.1', '127.0.0.5']);
    assert.deepEqual([...elsewhere.askedFrom], ['127.0.0.5']);
    assert.deepEqual([...dns.askedFrom], ['127.0.0.1']);
  });

  test('fails where one of them sees it otherwise, and says which', async () => {
    elsewhere.addresses('device.example', '127.0.0.4');
    const found = await outcome([place()]);
    assert.deepEqual(found, {
      valid: false,
      problem: 'connection',
      detail: `seen from branch: 127.0.0.4 refuses connections to port ${server.port}`,
      transient: true,
      addresses: ['127.0.0.1', '127.0.0.4'],
    });
  });

  test('connects from an address to those of its version only', async () => {
    elsewhere.addresses('device.example', '127.0.0.1');
    const found = await outcome([place({ localAddress: '::1' })]);
    assert.ok(!found.valid);
    assert.equal(
      found.detail,
      'seen from branch: device.example has no address that this server may connect to',
    );
  });

  test('CAA counts from each perspective', async () => {
    elsewhere.caa('device.example', [0, 'issue', 'other.example']);
    const found = await validateCaa(
      challengeFor('http-01', 'device.example'),
      settingsFor(dns, { caa: 'ca.example', perspectives: [place()] }),
    );
    assert.ok(!found.valid);
    assert.equal(found.problem, 'caa');
    assert.match(found.detail, /^seen from branch: /);
  });

  test('what is no identifier, and a wildcard without dns-01, is refused without a look at the world', async () => {
    const asked = dns.questions.length;
    const ip = { type: 'ip', value: '127.0.0.1' } as const;
    for (const [challenge, detail] of [
      [challengeFor('dns-01', 'Device.example'), /lower-case/],
      [challengeFor('dns-01', '*.example.org'), /without it/],
      [challengeFor('http-01', 'device.example', { wildcard: true }), /dns-01 alone/],
      [challengeFor('tls-alpn-01', 'device.example', { wildcard: true }), /dns-01 alone/],
      [challengeFor('dns-01', '', { identifier: ip }), /not proven by dns-01/],
      [challengeFor('http-01', '', { identifier: { type: 'ip', value: '192.0.2.1' } }), /may connect to/],
      [challengeFor('http-01', '', { identifier: { type: 'ip', value: '127.1' } }), /not an IP address/],
    ] as const) {
      const found = await validate(challenge, settingsFor(dns, { httpPort: server.port }));
      assert.ok(!found.valid);
      assert.deepEqual([found.problem, found.transient, found.addresses], ['rejectedIdentifier', false, []]);
      assert.match(found.detail, detail);
    }
    assert.equal(dns.questions.length, asked);
  });

  test('ends with its time, whoever does not answer', async () => {
    dns.set('_acme-challenge.silent.example', 'TXT', 'silence');
    const started = performance.now();
    const found = await validate(
      challengeFor('dns-01', 'silent.example'),
      settingsFor(dns, { timeoutMilliseconds: 500 }),
    );
    assert.ok(performance.now() - started < 2_000);
    assert.deepEqual(found, {
      valid: false,
      problem: 'dns',
      detail: 'the DNS did not answer in time, asked for _acme-challenge.silent.example',
      transient: true,
      addresses: [],
    });
  });

  test('sees what has changed since the last one', async () => {
    const digest = digestOf(keyAuthorization).toString('base64url');
    dns.set('_acme-challenge.later.example', 'TXT', (nth) =>
      nth === 0 ? [] : [{ type: 'TXT', value: [digest] }],
    );
    const attempt = () => validate(challengeFor('dns-01', 'later.example'), settingsFor(dns));
    assert.equal((await attempt()).valid, false);
    assert.equal((await attempt()).valid, true);
  });

  test('with settings or a token that are none is a fault of ours', async () => {
    const challenge = challengeFor('http-01', 'device.example');
    for (const settings of [
      { networks: ['127.0.0.1/8'] },
      { resolvers: ['localhost'] },
      { perspectives: [place({ localAddress: 'eth0' })] },
    ]) {
      await assert.rejects(validate(challenge, settingsFor(dns, settings)), { code: 'config' });
    }
    await assert.rejects(validate({ ...challenge, token: '../x' }, settingsFor(dns)), { code: 'internal' });
  });
});
