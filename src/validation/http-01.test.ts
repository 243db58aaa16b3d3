import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Challenge, validate, type ValidationSettings } from '#validation';
import {
  challengeCertificate,
  challengeFor,
  challengePath,
  dnsServer,
  type Handler,
  httpServer,
  httpsServer,
  keyAuthorization,
  type Listening,
  provesControl,
  settingsFor,
} from '../../test/harness/challenge.ts';
import { suiteCleanup } from '../../test/harness/cleanup.ts';
import type { DnsServer } from '../../test/harness/dns-server.ts';

describe('http-01 (RFC 8555 section 8.3)', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  let server: Listening;
  let handler: Handler = provesControl;
  let requests: { method?: string; url?: string; headers: readonly string[] }[] = [];
  before(async () => {
    dns = await dnsServer(cleanup);
    dns.addresses('device.example', '127.0.0.1');
    server = await httpServer(cleanup, (request, response) => {
      requests.push({ method: request.method!, url: request.url!, headers: request.rawHeaders });
      handler(request, response);
    });
  });
  const outcome = (
    answer: Handler,
    name = 'device.example',
    settings: Partial<ValidationSettings> = {},
    changes: Partial<Challenge> = {},
  ) => {
    handler = answer;
    requests = [];
    return validate(
      challengeFor('http-01', name, changes),
      settingsFor(dns, { httpPort: server.port, ...settings }),
    );
  };
  const says =
    (body: string, status = 200): Handler =>
    (_, response) => {
      response.statusCode = status;
      response.end(body);
    };

  test('one GET of the token, by the name and without anything else of ours', async () => {
    assert.deepEqual(await outcome(provesControl), { valid: true, addresses: ['127.0.0.1'] });
    assert.deepEqual(requests, [
      {
        method: 'GET',
        url: challengePath,
        headers: [
          'host',
          `device.example:${server.port}`,
          'user-agent',
          'Sallyport',
          'accept',
          '*/*',
          'accept-encoding',
          'identity',
          'connection',
          'close',
        ],
      },
    ]);
  });

  test('white space behind the key authorization is ignored, up to 512 octets of it', async () => {
    assert.equal((await outcome(says(`${keyAuthorization} \t\r\n\v\f`))).valid, true);
    assert.equal((await outcome(says(keyAuthorization + '\n'.repeat(512)))).valid, true);
    assert.deepEqual(await outcome(says(keyAuthorization + '\n'.repeat(513))), {
      valid: false,
      problem: 'incorrectResponse',
      detail: 'the answer of 127.0.0.1 is longer than the key authorization',
      transient: false,
      addresses: ['127.0.0.1'],
    });
  });

  test('anything else is not the key authorization', async () => {
    for (const body of [
      '',
      ` ${keyAuthorization}`,
      `\ufeff${keyAuthorization}`,
      `${keyAuthorization}x`,
      `${keyAuthorization} x`,
      keyAuthorization.slice(0, -1),
      keyAuthorization.toUpperCase(),
      `${keyAuthorization}\u00a0`,
    ]) {
      assert.deepEqual(
        await outcome(says(body)),
        {
          valid: false,
          problem: 'incorrectResponse',
          detail: 'the answer of 127.0.0.1 is not the key authorization',
          transient: false,
          addresses: ['127.0.0.1'],
        },
        JSON.stringify(body),
      );
    }
  });

  test('another status than 200 does not prove it, whatever the body is', async () => {
    for (const [status, transient] of [
      [201, false],
      [204, false],
      [206, false],
      [300, false],
      [304, false],
      [401, false],
      [404, false],
      [500, true],
      [503, true],
    ] as const) {
      assert.deepEqual(
        await outcome(says(status === 204 || status === 304 ? '' : keyAuthorization, status)),
        {
          valid: false,
          problem: 'unauthorized',
          detail: `127.0.0.1 answers with status ${status}`,
          transient,
          addresses: ['127.0.0.1'],
        },
      );
    }
  });

  test('a redirect is followed, five of them and no more', async () => {
    const after =
      (hops: number): Handler =>
      ({ url }, response) => {
        const at = Number(/\d+$/.exec(url!)?.[0] ?? 0);
        if (at === hops) response.end(keyAuthorization);
        else response.writeHead([301, 302, 303, 307, 308][at % 5]!, { location: `/next?at=${at + 1}` }).end();
      };
    const first = { token: 'token' };
    assert.equal((await outcome(after(5), 'device.example', {}, first)).valid, true);
    assert.deepEqual(
      requests.map(({ url }) => url),
      ['/.well-known/acme-challenge/token', ...[1, 2, 3, 4, 5].map((at) => `/next?at=${at}`)],
    );
    const found = await outcome(after(6), 'device.example', {}, first);
    assert.ok(!found.valid);
    assert.equal(found.detail, 'there are more than 5 redirects');
    assert.equal(requests.length, 6);
  });

  test('a redirect to another host is resolved and answered there, and to https without a certificate that anybody knows', async () => {
    dns.addresses('other.example', '127.0.0.3');
    const other = await httpServer(cleanup, provesControl, { address: '127.0.0.3', port: server.port });
    const unknown = challengeCertificate({ kind: 'dns', value: 'somebody.else' });
    const hosts: (string | undefined)[] = [];
    const { port: tlsPort } = await httpsServer(cleanup, unknown, ({ headers }, response) => {
      hosts.push(headers.host);
      response.end(keyAuthorization);
    });
    const to =
      (location: string): Handler =>
      (_, response) =>
        void response.writeHead(302, { location }).end();
    assert.deepEqual(await outcome(to(`http://other.example${challengePath}`)), {
      valid: true,
      addresses: ['127.0.0.1', '127.0.0.3'],
    });
    assert.equal(other.connections.length, 1);
    for (const location of ['https://device.example/x', `https://device.example:${tlsPort}/x`]) {
      assert.equal((await outcome(to(location), 'device.example', { tlsPort })).valid, true);
    }
    assert.deepEqual(hosts, [`device.example:${tlsPort}`, `device.example:${tlsPort}`]);
  });

  test('the addresses have their turn until one takes the connection; its answer stands', async () => {
    dns.addresses('several.example', '127.0.0.6', '127.0.0.7', '127.0.0.1');
    assert.deepEqual(await outcome(provesControl, 'several.example'), {
      valid: true,
      addresses: ['127.0.0.6', '127.0.0.7', '127.0.0.1'],
    });
    dns.addresses('many.example', ...[11, 12, 13, 14, 15].map((octet) => `127.0.0.${octet}`), '127.0.0.1');
    const found = await outcome(provesControl, 'many.example');
    assert.deepEqual(found, {
      valid: false,
      problem: 'connection',
      detail: `127.0.0.14 refuses connections to port ${server.port}`,
      transient: true,
      addresses: ['127.0.0.11', '127.0.0.12', '127.0.0.13', '127.0.0.14'],
    });
    dns.addresses('wrong.example', '127.0.0.1', '127.0.0.6');
    assert.deepEqual((await outcome(says('no'), 'wrong.example')).addresses, ['127.0.0.1']);
  });

  test('IPv6 comes first', async () => {
    await httpServer(cleanup, provesControl, { address: '::1', port: server.port });
    dns.addresses('both.example', '127.0.0.1', '::1');
    assert.deepEqual((await outcome(provesControl, 'both.example')).addresses, ['::1']);
  });

  test('RFC 8738: of an address nothing is resolved, and Host is the address', async () => {
    const asked = dns.questions.length;
    const identifier = { type: 'ip', value: '127.0.0.1' } as const;
    const found = await outcome(provesControl, '', {}, { identifier });
    assert.deepEqual(found, { valid: true, addresses: ['127.0.0.1'] });
    assert.deepEqual(requests[0]!.headers.slice(0, 2), ['host', `127.0.0.1:${server.port}`]);
    assert.equal(dns.questions.length, asked);
  });

  test('RFC 8738: and an IPv6 address stands in brackets', async () => {
    const hosts: (string | undefined)[] = [];
    const six = await httpServer(
      cleanup,
      (request, response) => {
        hosts.push(request.headers.host);
        provesControl(request, response);
      },
      { address: '::1' },
    );
    const identifier = { type: 'ip', value: '::1' } as const;
    const found = await outcome(provesControl, '', { httpPort: six.port }, { identifier });
    assert.deepEqual(found, { valid: true, addresses: ['::1'] });
    assert.deepEqual(hosts, [`[::1]:${six.port}`]);
  });

  test('what the DNS does not say is told apart from what it cannot say', async () => {
    dns.set('failing.example', 'A', 'SERVFAIL');
    dns.set('failing.example', 'AAAA', 'SERVFAIL');
    dns.set('half.example', 'AAAA', 'SERVFAIL');
    dns.set('half.example', 'A', [{ type: 'A', value: '127.0.0.1' }]);
    assert.equal((await outcome(provesControl, 'half.example')).valid, true);
    for (const [name, detail] of [
      ['nobody.example', 'there is no address of nobody.example'],
      ['failing.example', 'the DNS failed, asked for failing.example'],
    ] as const) {
      const found = await outcome(provesControl, name);
      assert.deepEqual(found, { valid: false, problem: 'dns', detail, transient: true, addresses: [] });
    }
  });

  test('a CNAME is followed by the resolver', async () => {
    dns.set('alias.example', 'A', [
      { type: 'CNAME', value: 'target.example' },
      { type: 'A', value: '127.0.0.1', owner: 'target.example' },
    ]);
    assert.equal((await outcome(provesControl, 'alias.example')).valid, true);
  });
});
