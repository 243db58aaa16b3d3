import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { validate } from '#validation';
import {
  challengeFor,
  digestOf,
  dnsServer,
  keyAuthorization,
  settingsFor,
} from '../../test/harness/challenge.ts';
import { suiteCleanup } from '../../test/harness/cleanup.ts';
import type { DnsServer } from '../../test/harness/dns-server.ts';

const digest = digestOf(keyAuthorization).toString('base64url');

describe('dns-01 (RFC 8555 section 8.4)', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  before(async () => {
    dns = await dnsServer(cleanup);
  });
  const outcome = (name: string, changes = {}) =>
    validate(challengeFor('dns-01', name, changes), settingsFor(dns));

  test('one of the TXT records is the digest, for the name and for its wildcard', async () => {
    dns.txt('_acme-challenge.a.example', 'v=spf1 -all', digest, 'another');
    assert.deepEqual(await outcome('a.example'), { valid: true, addresses: [] });
    assert.deepEqual(await outcome('a.example', { wildcard: true }), { valid: true, addresses: [] });
    assert.ok(dns.questions.every((question) => question === '_acme-challenge.a.example TXT'));
  });

  test('the strings of a record are one text', async () => {
    const value = [digest.slice(0, 10), digest.slice(10)];
    dns.set('_acme-challenge.parts.example', 'TXT', [{ type: 'TXT', value }]);
    assert.equal((await outcome('parts.example')).valid, true);
  });

  test('a CNAME is followed by the resolver', async () => {
    dns.set('_acme-challenge.alias.example', 'TXT', [
      { type: 'CNAME', value: 'validation.example' },
      { type: 'TXT', value: [digest], owner: 'validation.example' },
    ]);
    assert.equal((await outcome('alias.example')).valid, true);
  });

  test('no other text is', async () => {
    for (const [at, text] of [
      `${digest} `,
      ` ${digest}`,
      digest.toLowerCase(),
      `"${digest}"`,
      `${digest}=`,
      keyAuthorization,
      digestOf(keyAuthorization).toString('hex'),
      '',
    ].entries()) {
      dns.txt(`_acme-challenge.n${at}.example`, text);
      assert.deepEqual(await outcome(`n${at}.example`), {
        valid: false,
        problem: 'incorrectResponse',
        detail: `no TXT record at _acme-challenge.n${at}.example is the digest of the key authorization`,
        transient: true,
        addresses: [],
      });
    }
  });

  test('what is not there yet may come, and so may a DNS that fails', async () => {
    dns.set('_acme-challenge.failing.example', 'TXT', 'SERVFAIL');
    dns.set('_acme-challenge.refusing.example', 'TXT', 'REFUSED');
    dns.set('_acme-challenge.empty.example', 'TXT', []);
    for (const [name, detail] of [
      ['nobody.example', 'there is no TXT record at _acme-challenge.nobody.example'],
      ['empty.example', 'there is no TXT record at _acme-challenge.empty.example'],
      ['failing.example', 'the DNS failed, asked for _acme-challenge.failing.example'],
      ['refusing.example', 'the DNS failed, asked for _acme-challenge.refusing.example'],
    ] as const) {
      assert.deepEqual(await outcome(name), {
        valid: false,
        problem: 'dns',
        detail,
        transient: true,
        addresses: [],
      });
    }
  });

  test('a name that leaves no room for the label cannot be asked for', async () => {
    const found = await outcome(`${`${'a'.repeat(60)}.`.repeat(4)}example`);
    assert.ok(!found.valid);
    assert.match(found.detail, /cannot be asked/);
    assert.equal(found.transient, false);
  });
});
