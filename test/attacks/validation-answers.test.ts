import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Challenge, validate, validateCaa } from '#validation';
import { der } from '#x509';
import {
  acmeIdentifierOf,
  canary,
  challengeCertificate,
  type CertificateChanges,
  challengeFor,
  digestOf,
  dnsServer,
  httpsServer,
  keyAuthorization,
  type Listening,
  listening,
  provesControl,
  refused,
  settingsFor,
  tlsServer,
  token,
} from '../harness/challenge.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import type { DnsServer } from '../harness/dns-server.ts';

describe('a server that answers the validator badly', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  let speak: (socket: Socket) => void;
  let server: Listening;
  before(async () => {
    dns = await dnsServer(cleanup);
    dns.addresses('device.example', '127.0.0.1');
    const raw = createServer((socket) => speak(socket));
    server = await listening(cleanup, raw);
  });
  const timeoutMilliseconds = 700;
  const found = async (answer: (socket: Socket) => void, changes: Partial<Challenge> = {}) => {
    speak = answer;
    const started = performance.now();
    const outcome = await refused(
      validate(
        challengeFor('http-01', 'device.example', changes),
        settingsFor(dns, { httpPort: server.port, tlsPort: server.port, timeoutMilliseconds }),
      ),
    );
    assert.ok(performance.now() - started < timeoutMilliseconds + 1_500, 'it took longer than it may');
    return outcome;
  };
  const head = `HTTP/1.1 200 OK\r\nx-canary: ${canary}\r\n`;
  const inTime = 'no whole answer of 127.0.0.1 in time';
  /** One text, and then another again and again: as fast as the other side takes it, or at each interval. */
  const again =
    (start: string, text: string, interval = 0) =>
    (socket: Socket) => {
      socket.write(start);
      const timer = setInterval(() => {
        if (socket.writableLength < 1_000_000) socket.write(text);
      }, interval);
      socket.on('close', () => clearInterval(timer));
    };

  test('slowly, or never: it ends with the time', async () => {
    for (const answer of [
      again('', 'H', 50),
      again(head, 'x', 50),
      again(`${head}\r\n`, 'x', 50),
      again(`${head}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n', 50),
      again('', 'HTTP/1.1 100 Continue\r\n\r\n', 20),
      again('', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
    ]) {
      const { problem, transient, detail } = await found(answer);
      if (detail !== inTime) assert.match(detail, /gives no whole answer of HTTP/);
      assert.deepEqual([problem, transient], ['connection', true]);
    }
    assert.equal((await found(() => {})).detail, inTime);
  });

  test('slowly in TLS', async () => {
    const silent = await found(() => {}, { type: 'tls-alpn-01' });
    assert.equal(silent.detail, 'no TLS handshake with 127.0.0.1 in time');
    assert.deepEqual([silent.problem, silent.transient], ['connection', true]);
    const drip = await found(again('', '\x16', 50), { type: 'tls-alpn-01' });
    assert.equal(drip.transient || drip.problem === 'tls', true);
  });

  test('at once and without an end', async () => {
    const text = canary.repeat(1_000);
    for (const start of [`${head}\r\n`, `${head}content-length: 99999999999\r\n\r\n`]) {
      const { detail, transient } = await found(again(start, text));
      assert.equal(detail, 'the answer of 127.0.0.1 is longer than the key authorization');
      assert.equal(transient, false);
    }
    const fields = `a: ${canary}\r\n`.repeat(100);
    const long = await found(again(head, fields));
    assert.equal(long.detail, "the header of 127.0.0.1's answer is too long");
    const trailers = await found(again(`${head}transfer-encoding: chunked\r\n\r\n0\r\n`, fields));
    assert.equal(trailers.transient, trailers.problem === 'connection');
  });

  test('with what is no HTTP, half of it, or another protocol', async () => {
    const broken = '127.0.0.1 gives no whole answer of HTTP';
    for (const text of [
      canary,
      `SSH-2.0-${canary}\r\n`,
      `${head}content-length: 500\r\n\r\n${keyAuthorization}`,
      `${head}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
      `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`,
      `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n`,
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: ${canary}\r\nconnection: upgrade\r\n\r\n`,
      '',
    ]) {
      assert.equal((await found((socket) => socket.end(text))).detail, broken, text);
    }
    const tls = await found((socket) => socket.end(`HTTP/1.1 400 ${canary}\r\n\r\n`), {
      type: 'tls-alpn-01',
    });
    assert.equal(tls.detail, 'the TLS handshake with 127.0.0.1 failed');
  });

  test('compressed, where nothing was to be', async () => {
    const body = gzipSync(keyAuthorization);
    const { detail } = await found((socket) => {
      socket.write(`${head}content-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.end(body);
    });
    assert.equal(detail, 'the answer of 127.0.0.1 is not the key authorization');
  });

  test('with what nobody may read through us', async () => {
    for (const text of [
      `HTTP/1.1 200 OK\r\ncontent-length: ${canary.length}\r\n\r\n${canary}`,
      `HTTP/1.1 404 ${canary}\r\n\r\n${canary}`,
      `HTTP/1.1 302 x\r\nlocation: https://${canary}.example/${canary}\r\n\r\n`,
      `HTTP/1.1 302 x\r\nlocation: ${canary}://x\r\n\r\n`,
    ]) {
      await found((socket) => socket.end(text));
    }
  });

  test('and leaves no connection open behind', async () => {
    const sockets: Socket[] = [];
    await found((socket) => {
      sockets.push(socket.resume());
      socket.write(head);
    });
    await new Promise((resolve) => {
      if (sockets[0]!.closed) resolve(undefined);
      else sockets[0]!.once('close', resolve);
    });
  });
});

describe('a certificate that does not prove a tls-alpn-01 challenge', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  before(async () => {
    dns = await dnsServer(cleanup);
    dns.addresses('device.example', '127.0.0.1');
  });
  const own = { kind: 'dns', value: 'device.example' } as const;
  const detailOf = async (changes: CertificateChanges, options = {}) => {
    const { port: tlsPort } = await tlsServer(cleanup, challengeCertificate(own, changes), options);
    const found = await refused(
      validate(challengeFor('tls-alpn-01', 'device.example'), settingsFor(dns, { tlsPort })),
    );
    assert.equal(found.transient, false);
    return found.detail;
  };
  const extension = (value: Uint8Array) => ({ acmeIdentifier: { ...acmeIdentifierOf(''), value } });
  const digest = digestOf(keyAuthorization);
  const cases: Record<string, [CertificateChanges, string]> = {
    'for two names': [{ names: [own, own] }, 'does not have exactly one alternative name'],
    'for another name beside it': [
      { names: [own, { kind: 'dns', value: `${canary}.example` }] },
      'does not have exactly one alternative name',
    ],
    'for an address beside it': [
      { names: [own, { kind: 'ip', value: '127.0.0.1' }] },
      'does not have exactly one alternative name',
    ],
    'for no name': [{ names: [] }, 'does not have exactly one alternative name'],
    'for another name': [
      { names: [{ kind: 'dns', value: `${canary}.example` }] },
      'is not for this identifier',
    ],
    'for a wildcard': [{ names: [{ kind: 'dns', value: '*.example' }] }, 'is not for this identifier'],
    'for the name as a URI': [
      { names: [{ kind: 'uri', value: 'device.example' }] },
      'is not for this identifier',
    ],
    'signed by somebody else': [{ brokenSignature: true }, 'is not self-signed'],
    'of another issuer': [{ issuer: canary }, 'is not self-signed'],
    'without the extension': [{ acmeIdentifier: null }, 'has no acmeIdentifier'],
    'with an extension that is not critical': [
      { acmeIdentifier: acmeIdentifierOf(keyAuthorization, false) },
      'has an acmeIdentifier that is not critical',
    ],
    'of another key authorization': [
      { acmeIdentifier: acmeIdentifierOf(`${token}.other`) },
      'has an acmeIdentifier of another key authorization',
    ],
    'of the bare digest': [extension(digest), 'cannot be read'],
    'of half the digest': [
      extension(der.octetString(digest.subarray(0, 16))),
      'has an acmeIdentifier of another key authorization',
    ],
    'of the digest and more': [
      extension(Buffer.concat([der.octetString(digest), der.null()])),
      'cannot be read',
    ],
    'of the digest as text': [extension(der.utf8String(digest.toString('hex'))), 'cannot be read'],
  };
  for (const [what, [changes, words]] of Object.entries(cases)) {
    test(`is one ${what}`, async () => {
      assert.equal(await detailOf(changes), `the certificate of 127.0.0.1 ${words}`);
    });
  }

  test('is one without acme-tls/1', async () => {
    for (const protocol of ['http/1.1', 'acme-tls/2', null]) {
      assert.equal(await detailOf({}, { protocol }), '127.0.0.1 does not negotiate acme-tls/1');
    }
  });

  test('is one in TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    assert.equal(await detailOf({}, old), 'the TLS handshake with 127.0.0.1 failed');
  });

  test('is none of a server that wants to speak with it: https is no proof', async () => {
    const { port } = await httpsServer(cleanup, challengeCertificate(own), provesControl);
    const found = await refused(
      validate(challengeFor('http-01', 'device.example'), settingsFor(dns, { httpPort: port })),
    );
    assert.notEqual(found.problem, 'incorrectResponse');
  });
});

describe('a DNS that does not say what a dns-01 challenge or CAA ask', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  before(async () => {
    dns = await dnsServer(cleanup);
  });
  const digest = digestOf(keyAuthorization).toString('base64url');
  const attempt = (name: string, settings = {}) =>
    refused(validate(challengeFor('dns-01', name), settingsFor(dns, settings)));

  test('a flood of TXT records, with the right one among them', async () => {
    for (const [name, count] of [
      ['few.example', 65],
      ['many.example', 1_000],
    ] as const) {
      dns.txt(`_acme-challenge.${name}`, ...Array.from({ length: count }, () => digest));
      const { detail, transient } = await attempt(name);
      assert.equal(detail, `there are more than 64 TXT records at _acme-challenge.${name}`);
      assert.equal(transient, false);
    }
    dns.txt('_acme-challenge.enough.example', ...Array.from({ length: 64 }, () => digest));
    assert.equal((await validate(challengeFor('dns-01', 'enough.example'), settingsFor(dns))).valid, true);
  });

  test('text that nobody may read through us', async () => {
    dns.txt('_acme-challenge.other.example', canary);
    const { problem, transient } = await attempt('other.example');
    assert.deepEqual([problem, transient], ['incorrectResponse', true]);
  });

  test('octets that are no answer', async () => {
    dns.set('_acme-challenge.garbage.example', 'TXT', 'garbage');
    assert.equal((await attempt('garbage.example', { timeoutMilliseconds: 700 })).problem, 'dns');
  });

  test('the digest at the name itself, at the wildcard or above', async () => {
    for (const name of ['a.example', 'example', '_acme-challenge.example', '*.a.example']) {
      dns.txt(name, digest);
    }
    assert.equal((await attempt('a.example')).detail, 'there is no TXT record at _acme-challenge.a.example');
  });

  test('CAA that fails, or forbids above, is no permission', async () => {
    dns.caa('corp.example', [128, 'future', canary]);
    dns.set('down.example', 'CAA', 'SERVFAIL');
    dns.set('silent.example', 'CAA', 'silence');
    for (const [name, problem] of [
      ['www.corp.example', 'caa'],
      ['www.down.example', 'dns'],
      ['www.silent.example', 'dns'],
    ] as const) {
      const found = await refused(
        validateCaa(
          challengeFor('dns-01', name),
          settingsFor(dns, { caa: 'ca.example', timeoutMilliseconds: 700 }),
        ),
      );
      assert.equal(found.problem, problem);
    }
  });
});
