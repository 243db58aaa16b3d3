import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { type AcmeClient, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { typeOf } from '../harness/acme-answers.ts';
import { canary, httpServer, type Listening, listening } from '../harness/challenge.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

describe('orders by which the authority is made to connect, and to wait', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let inside: Listening;
  before(async () => {
    authority = await acmeAuthority(cleanup, (yaml) => {
      const settings = parse(yaml) as { templates: Record<string, { acme: { networks: string[] } }> };
      settings.templates['web']!.acme.networks = [
        '127.0.0.1/32',
        '127.0.0.5/32',
        '169.254.0.0/16',
        '0.0.0.0/0',
      ];
      return stringify(settings, { aliasDuplicateObjects: false });
    });
    // What must not be reached, with something to tell, at the port that the authority connects to.
    inside = await httpServer(cleanup, (_, response) => response.end(canary), {
      address: '127.0.0.2',
      port: authority.http.port,
    });
  });
  const order = async (client: AcmeClient, name: string) => {
    const ordered = await client.order([name]);
    assert.equal(ordered.status, 201, ordered.text);
    const [url] = ordered.body['authorizations'] as string[];
    const { body } = await client.post(url!, null);
    const of = (type: string) => (body['challenges'] as Json[]).find((each) => each['type'] === type)!;
    return { order: ordered.body, orderUrl: ordered.headers['location']!, url: url!, of };
  };
  const ended = async (client: AcmeClient, url: string) => {
    for (;;) {
      const { body } = await client.post(url, null);
      if (body['status'] !== 'pending') return body;
      await setTimeout(200);
    }
  };
  const eventOf = async (authorization: string) => {
    const id = authorization.split('/').at(-1)!;
    const found = (await entriesOf(authority)).filter(
      (entry) => (entry['detail'] as Json | undefined)?.['authorization'] === id,
    );
    return found.findLast(({ type }) => type === 'authority') as unknown as { event: string; detail: Json };
  };

  test('names that lead to loopback, to link-local, to metadata: no connection, and one answer for all', async () => {
    const client = await authority.registered();
    const told = new Set<string>();
    for (const [at, address] of [
      '127.0.0.2',
      '169.254.169.254',
      '0.0.0.0',
      '100.100.100.200',
      '127.0.0.3',
    ].entries()) {
      const name = `inside-${at}.example.org`;
      authority.dns.addresses(name, address);
      const { url, of } = await order(client, name);
      await client.post(of('http-01')['url'] as string, {});
      const { status, challenges } = await ended(client, url);
      assert.equal(status, 'invalid');
      const error = (challenges as Json[])[0]!['error'] as Json;
      assert.equal(typeOf(error), 'connection');
      told.add((error['detail'] as string).replace(name, 'NAME'));
      const { event, detail } = await eventOf(url);
      assert.deepEqual([event, detail['addresses']], ['authorization.invalid', []]);
    }
    assert.deepEqual([...told], ['NAME has no address that this server may connect to']);
    assert.deepEqual(inside.connections, []);
  });

  test('redirects, and names that lead elsewhere at the second look', async () => {
    const client = await authority.registered();
    authority.dns.set('rebound.example.org', 'A', (nth) => [
      { type: 'A', value: nth === 0 ? '127.0.0.5' : '127.0.0.2' },
    ]);
    authority.dns.set('rebound.example.org', 'AAAA', []);
    let location = '';
    await listening(
      cleanup,
      createServer((_, response) => response.writeHead(302, { location }).end()),
      {
        address: '127.0.0.5',
        port: authority.http.port,
      },
    );
    authority.dns.addresses('hop.example.org', '127.0.0.5');
    for (const [name, to] of [
      ['hop.example.org', `http://127.0.0.2:${authority.http.port}/${canary}`],
      ['hop.example.org', `http://169.254.169.254/latest/meta-data/${canary}`],
      ['hop.example.org', `gopher://127.0.0.2/${canary}`],
      ['hop.example.org', `http://127.0.0.1:22/${canary}`],
      ['rebound.example.org', `http://rebound.example.org:${authority.http.port}/${canary}`],
    ] as const) {
      location = to;
      const { url, of } = await order(client, name);
      await client.post(of('http-01')['url'] as string, {});
      const body = await ended(client, url);
      assert.equal(body['status'], 'invalid');
      const { error } = (body['challenges'] as Json[])[0]!;
      assert.doesNotMatch(JSON.stringify(error), new RegExp(`${canary}|127\\.0\\.0\\.|169\\.254`));
    }
    assert.deepEqual(inside.connections, []);
  });

  test('what somebody answers is told to nobody: not its words, not its certificate', async () => {
    const client = await authority.registered();
    const name = authority.host('told.example.org');
    const { url, of } = await order(client, name);
    const token = of('http-01')['token'] as string;
    authority.proofs.set(token, canary);
    await client.post(of('http-01')['url'] as string, {});
    const body = await ended(client, url);
    assert.equal(body['status'], 'invalid');
    assert.doesNotMatch(JSON.stringify(body), new RegExp(canary));
    assert.doesNotMatch(JSON.stringify(await eventOf(url)), new RegExp(canary));
  });

  test('one proof for another account: the key authorization is of the key that asked', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const name = authority.host('shared.example.org');
    const { url, of } = await order(client, name);
    const token = of('http-01')['token'] as string;
    authority.proofs.set(token, other.keyAuthorization(token));
    await client.post(of('http-01')['url'] as string, {});
    assert.equal((await ended(client, url))['status'], 'invalid');
  });

  test('one authorization answered by two challenges, at once and later: the first counts', async () => {
    const client = await authority.registered();
    const name = authority.host('twice.example.org');
    const { url, of } = await order(client, name);
    const twins = [client.twin(authority.trustPem), client.twin(authority.trustPem)];
    await Promise.all(
      (['http-01', 'dns-01'] as const).map((type, at) => twins[at]!.post(of(type)['url'] as string, {})),
    );
    for (const twin of twins) twin.close();
    const body = await ended(client, url);
    assert.equal(body['status'], 'invalid');
    assert.equal((body['challenges'] as Json[]).length, 1);
    const { token } = of('http-01') as { token: string };
    authority.proofs.set(token, client.keyAuthorization(token));
    for (const type of ['http-01', 'dns-01', 'tls-alpn-01']) await client.post(of(type)['url'] as string, {});
    assert.equal((await client.post(url, null)).body['status'], 'invalid');
    const answered = (await entriesOf(authority)).filter(
      (entry) => (entry['detail'] as Json | undefined)?.['authorization'] === url.split('/').at(-1),
    );
    assert.equal(answered.length, 2);
  });

  test('challenges that are not offered, and those of a wildcard', async () => {
    const client = await authority.registered();
    const { url } = await order(client, '*.wild.example.org');
    const id = url.split('/').at(-1)!;
    for (const type of ['http-01', 'tls-alpn-01', 'dns-02', '__proto__', '']) {
      const answer = await client.post(`${authority.base}/acme/challenge/${id}/${type}`, {});
      assert.equal(answer.status, 404, type);
    }
    assert.equal((await client.post(url, null)).body['status'], 'pending');
  });

  test('a proof that comes when its order is over counts for nothing', async () => {
    const client = await authority.registered();
    const name = authority.host('late.example.org');
    const { url, of } = await order(client, name);
    authority.advance(8 * 86_400_000);
    const late = client.twin(authority.trustPem);
    const { token } = of('http-01') as { token: string };
    authority.proofs.set(token, client.keyAuthorization(token));
    await late.post(of('http-01')['url'] as string, {});
    assert.equal((await late.post(url, null)).body['status'], 'invalid');
    const again = await late.order([name]);
    assert.equal(again.body['status'], 'pending');
    late.close();
  });

  test('servers that never answer keep nobody else waiting', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const slow = client.twin(authority.trustPem);
    const names = Array.from({ length: 40 }, (_, at) => `slow-${at}.example.org`);
    for (const name of names) {
      authority.dns.set(name, 'A', 'silence');
      authority.dns.set(name, 'AAAA', 'silence');
    }
    const ordered = await slow.order(names);
    const twins = Array.from({ length: 40 }, () => client.twin(authority.trustPem));
    const answering = (ordered.body['authorizations'] as string[]).map(async (url, at) => {
      const { body } = await twins[at]!.post(url, null);
      const challenge = (body['challenges'] as Json[]).find(({ type }) => type === 'http-01')!;
      return twins[at]!.post(challenge['url'] as string, {});
    });
    await setTimeout(500);
    const began = performance.now();
    const name = authority.host('quick.example.org');
    const quick = await other.order([name]);
    await other.prove(quick.body, 'http-01', authority.byHttp);
    const done = await other.finalize(quick.body, orderCsr([name]));
    assert.equal(done.body['status'], 'valid', done.text);
    assert.ok(performance.now() - began < 2_500, String(performance.now() - began));
    await Promise.all(answering);
    for (const twin of [slow, ...twins]) twin.close();
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
