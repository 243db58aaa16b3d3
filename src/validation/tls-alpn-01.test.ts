import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { validate } from '#validation';
import {
  challengeCertificate,
  type CertificateChanges,
  challengeFor,
  dnsServer,
  settingsFor,
  tlsServer,
} from '../../test/harness/challenge.ts';
import { suiteCleanup } from '../../test/harness/cleanup.ts';
import type { DnsServer } from '../../test/harness/dns-server.ts';
import { setTimeout as wait } from 'node:timers/promises';
import { reverseName } from './reverse-name.ts';

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries += 1) await wait(10);
}

describe('tls-alpn-01 (RFC 8737)', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  before(async () => {
    dns = await dnsServer(cleanup);
    dns.addresses('device.example', '127.0.0.1');
  });
  const presenting = (changes: CertificateChanges = {}, options = {}) =>
    tlsServer(cleanup, challengeCertificate({ kind: 'dns', value: 'device.example' }, changes), options);
  const outcome = (tlsPort: number, changes = {}) =>
    validate(challengeFor('tls-alpn-01', 'device.example', changes), settingsFor(dns, { tlsPort }));

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`offers acme-tls/1 alone, names the name in SNI, and takes the certificate (${maxVersion})`, async () => {
      const server = await presenting({}, { maxVersion });
      assert.deepEqual(await outcome(server.port), { valid: true, addresses: ['127.0.0.1'] });
      assert.deepEqual(server.offered, [['acme-tls/1']]);
      assert.deepEqual(server.serverNames, ['device.example']);
    });
  }

  test('dNSNames are the same in any case', async () => {
    const server = await presenting({ names: [{ kind: 'dns', value: 'Device.EXAMPLE' }] });
    assert.equal((await outcome(server.port)).valid, true);
  });

  test('section 4: its time does not matter', async () => {
    const { port } = await presenting({ notAfter: Date.UTC(2021, 0) });
    assert.equal((await outcome(port)).valid, true);
  });

  test('section 4: no data is exchanged, and the connection is closed at once', async () => {
    const server = await presenting();
    assert.equal((await outcome(server.port)).valid, true);
    await until(() => server.ended.length > 0);
    assert.deepEqual(server.ended, ['']);
  });

  test('another protocol, or none, does not prove anything', async () => {
    for (const protocol of ['http/1.1', null]) {
      const server = await presenting({}, { protocol });
      assert.deepEqual(await outcome(server.port), {
        valid: false,
        problem: 'tls',
        detail: '127.0.0.1 does not negotiate acme-tls/1',
        transient: false,
        addresses: ['127.0.0.1'],
      });
    }
  });

  test('RFC 8738 section 6: of an address it asks by the reverse mapping, and wants an iPAddress', async () => {
    const identifier = { type: 'ip', value: '127.0.0.1' } as const;
    const right = await tlsServer(cleanup, challengeCertificate({ kind: 'ip', value: '127.0.0.1' }));
    assert.deepEqual(await outcome(right.port, { identifier }), { valid: true, addresses: ['127.0.0.1'] });
    assert.deepEqual(right.serverNames, ['1.0.0.127.in-addr.arpa']);
    for (const name of [
      { kind: 'ip', value: '127.0.0.2' },
      { kind: 'dns', value: '127.0.0.1' },
      { kind: 'dns', value: '1.0.0.127.in-addr.arpa' },
    ] as const) {
      const wrong = await tlsServer(cleanup, challengeCertificate(name));
      const found = await outcome(wrong.port, { identifier });
      assert.ok(!found.valid);
      assert.equal(found.detail, 'the certificate of 127.0.0.1 is not for this identifier');
    }
  });

  test('RFC 3596 section 2.5: the reverse mapping of IPv6', () => {
    assert.equal(
      reverseName('4321:0:1:2:3:4:567:89ab'),
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
    );
  });
});
