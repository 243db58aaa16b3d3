import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Challenge, validate, type ValidationSettings } from '#validation';
import {
  canary,
  challengeFor,
  challengePath,
  dnsServer,
  type Handler,
  httpServer,
  keyAuthorization,
  type Listening,
  provesControl,
  refused,
  type Refusal,
  settingsFor,
} from '../harness/challenge.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import type { DnsServer } from '../harness/dns-server.ts';

const root = path.resolve(import.meta.dirname, '../..');
const notPermitted = 'device.example has no address that this server may connect to';

describe('a client that has the validator connect where it should not', () => {
  const cleanup = suiteCleanup();
  let dns: DnsServer;
  let server: Listening;
  let handler: Handler;
  before(async () => {
    dns = await dnsServer(cleanup);
    server = await httpServer(cleanup, (request, response) => handler(request, response));
  });
  const attempt = (settings: Partial<ValidationSettings> = {}, changes: Partial<Challenge> = {}) => {
    handler = provesControl;
    server.connections.length = 0;
    return validate(
      challengeFor('http-01', 'device.example', changes),
      settingsFor(dns, { httpPort: server.port, tlsPort: server.port, ...settings }),
    );
  };

  test('to loopback, link-local, metadata services and their other spellings, by name and by address', async () => {
    const networks = ['0.0.0.0/0', '::/0', '169.254.0.0/16', 'fe80::/10', '64:ff9b::/96', '::ffff:0:0:0/96'];
    for (const address of [
      '127.0.0.1',
      '::1',
      '0.0.0.0',
      '::',
      '169.254.169.254',
      '100.100.100.200',
      'fd00:ec2::254',
      'fe80::1',
      '224.0.0.1',
      '255.255.255.255',
      '::ffff:127.0.0.1',
      '::ffff:169.254.169.254',
      '::127.0.0.1',
      '64:ff9b::127.0.0.1',
      '64:ff9b::169.254.169.254',
      '2002:7f00:1::1',
    ]) {
      dns.addresses('device.example', address);
      for (const type of ['http-01', 'tls-alpn-01'] as const) {
        assert.deepEqual(
          await refused(attempt({ networks }, { type })),
          { valid: false, problem: 'connection', detail: notPermitted, transient: false, addresses: [] },
          address,
        );
      }
      const ip = await refused(attempt({ networks }, { identifier: { type: 'ip', value: address } }));
      assert.deepEqual([ip.problem, ip.addresses], ['rejectedIdentifier', []], address);
    }
    assert.deepEqual(server.connections, []);
  });

  test('outside of the networks: the same words and no connection, whether somebody listens there or not', async () => {
    const networks = ['127.0.0.8/29'];
    const found: Refusal[] = [];
    for (const address of ['127.0.0.1', '127.0.0.2', '192.0.2.1']) {
      dns.addresses('device.example', address);
      found.push(await refused(attempt({ networks })));
    }
    for (const each of found) assert.deepEqual(each, found[0]);
    assert.equal(found[0]!.detail, notPermitted);
    assert.deepEqual(server.connections, []);
  });

  test('beside an address that is permitted', async () => {
    dns.addresses('device.example', '127.0.0.2', '127.0.0.1', '127.0.0.9');
    const found = await refused(attempt({ networks: ['127.0.0.8/29'] }));
    assert.deepEqual(found.addresses, ['127.0.0.9']);
    assert.deepEqual(server.connections, []);
  });

  test('without networks: to nobody', async () => {
    dns.addresses('device.example', '127.0.0.1');
    assert.equal((await refused(attempt({ networks: [] }))).detail, notPermitted);
  });

  test('by a DNS that answers something else the second time: it is asked once, and connected to what it said', async () => {
    for (const [name, first, then, valid] of [
      ['rebinding.example', '127.0.0.1', '127.0.0.2', true],
      ['bound.example', '127.0.0.2', '127.0.0.1', false],
    ] as const) {
      dns.set(name, 'A', (nth) => [{ type: 'A', value: nth === 0 ? first : then }]);
      dns.set(name, 'AAAA', []);
      dns.questions.length = 0;
      const identifier = { type: 'dns', value: name } as const;
      const found = await attempt({ networks: ['127.0.0.1/32'] }, { identifier });
      assert.equal(found.valid, valid);
      assert.deepEqual(dns.questions.toSorted(), [`${name} A`, `${name} AAAA`]);
    }
  });

  test('by redirects', async () => {
    dns.addresses('device.example', '127.0.0.1');
    dns.addresses('outside.example', '127.0.0.2');
    dns.addresses('localhost', '127.0.0.2');
    const outside = await httpServer(cleanup, provesControl, { address: '127.0.0.2', port: server.port });
    const networks = ['127.0.0.1/32'];
    const target = 'the target of redirect 1 has no address that this server may connect to';
    for (const [location, detail] of [
      [`http://outside.example/${canary}`, target],
      ['http://localhost/', target],
      ['//outside.example/', target],
      ['http://127.0.0.2/', target],
      ['http://2130706434/', target],
      ['http://0x7f.2/', target],
      ['http://[::ffff:127.0.0.2]/', target],
      ['http://[::1]/', target],
      ['http://169.254.169.254/latest/meta-data/', target],
      ['http:\\\\outside.example', target],
      [`http://${canary}.example/`, 'there is no address of the target of redirect 1'],
      ['http://device.example:22/', 'redirect 1 leads to another port'],
      // The scheme's own port says no more than the scheme.
      ['http://device.example:80/', 'there are more than 5 redirects'],
      [`https://device.example:${server.port + 1}/`, 'redirect 1 leads to another port'],
      ['file:///etc/passwd', 'redirect 1 leads to something else than http and https'],
      ['ftp://device.example/', 'redirect 1 leads to something else than http and https'],
      ['data:text/plain,x', 'redirect 1 leads to something else than http and https'],
      ['gopher://device.example/x', 'redirect 1 leads to something else than http and https'],
      ['http://user@device.example/', 'redirect 1 holds user information'],
      [`http://:${canary}@device.example/`, 'redirect 1 holds user information'],
      ['http://device_example/', 'redirect 1 leads to no host name'],
      ['http://device.example./', 'redirect 1 leads to no host name'],
      ['http://', 'redirect 1 has no location that can be read'],
      ['http://[::1', 'redirect 1 has no location that can be read'],
      [null, 'redirect 1 has no location that can be read'],
      [challengePath, 'there are more than 5 redirects'],
      ['', 'there are more than 5 redirects'],
    ] as const) {
      const outcome = attempt({ networks });
      handler = (_, response) => {
        if (location !== null) response.setHeader('location', location);
        response.writeHead(302).end();
      };
      assert.equal((await refused(outcome)).detail, detail, String(location));
    }
    assert.deepEqual(outside.connections, []);
  });

  test('by a redirect whose target answers something else the second time', async () => {
    dns.addresses('device.example', '127.0.0.1');
    dns.set('hop.example', 'A', (nth) => [{ type: 'A', value: nth === 0 ? '127.0.0.1' : '127.0.0.3' }]);
    dns.set('hop.example', 'AAAA', []);
    const outcome = attempt({ networks: ['127.0.0.1/32'] });
    handler = ({ url }, response) => response.writeHead(302, { location: `http://hop.example${url}` }).end();
    const found = await refused(outcome);
    assert.equal(found.detail, 'the target of redirect 2 has no address that this server may connect to');
    assert.deepEqual(found.addresses, ['127.0.0.1', '127.0.0.1']);
  });

  test('with cookies or credentials of an answer before', async () => {
    dns.addresses('device.example', '127.0.0.1');
    const fields: string[] = [];
    const outcome = attempt();
    handler = ({ rawHeaders, url }, response) => {
      fields.push(...rawHeaders.filter((_, at) => at % 2 === 0));
      if (url === '/x') {
        response.end(keyAuthorization);
      } else {
        response.writeHead(302, { location: '/x', 'set-cookie': 'a=b', 'www-authenticate': 'Basic' }).end();
      }
    };
    assert.equal((await outcome).valid, true);
    const each = ['host', 'user-agent', 'accept', 'accept-encoding', 'connection'];
    assert.deepEqual(fields, [...each, ...each]);
  });

  test('through a proxy of the environment', async () => {
    dns.addresses('device.example', '127.0.0.1');
    const proxy = await httpServer(cleanup, (_, response) => response.end(keyAuthorization));
    handler = provesControl;
    const [challenge, settings] = [
      challengeFor('http-01', 'device.example'),
      settingsFor(dns, { httpPort: server.port }),
    ];
    const program = `
      const { validate } = await import('#validation');
      console.log(JSON.stringify(await validate(${JSON.stringify(challenge)}, ${JSON.stringify(settings)})));`;
    const url = `http://127.0.0.1:${proxy.port}`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--use-env-proxy', '--input-type=module', '--eval', program],
      { cwd: root, timeout: 30_000, env: { ...process.env, HTTP_PROXY: url, http_proxy: url, NO_PROXY: '' } },
    );
    assert.deepEqual(JSON.parse(stdout), { valid: true, addresses: ['127.0.0.1'] });
    assert.deepEqual(proxy.connections, []);
  });
});
