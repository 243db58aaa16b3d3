import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type AcmeClient, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { assertObjected, assertRejected, typeOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

describe('orders that are played against the authority', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newHost = () => authority.host(`host-${(hosts += 1)}.example.org`);
  const ready = async (client: AcmeClient, names: readonly string[], more: Json = {}) => {
    const ordered = await client.order(names, more);
    assert.equal(ordered.status, 201, ordered.text);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    return { ...ordered.body, url: ordered.headers['location']! } as Json & { url: string };
  };
  const unapproved = () => authority.registered({ names: null, approve: false });
  const deviceOf = (client: AcmeClient) => authority.ownerOf.get(client)!;
  const certificatesOf = async (client: AcmeClient) =>
    (await authority.admin.client.perform('listCertificates', { device: deviceOf(client) })).items;
  const approve = async (client: AcmeClient) => {
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const { id } = items.find(({ device }) => device === deviceOf(client))!;
    await authority.admin.client.perform('approveRequest', { id });
  };
  const accountOf = async (client: AcmeClient) => {
    const { items } = await authority.admin.client.perform('listAccounts', { device: deviceOf(client) });
    return items[0]!;
  };
  /** What the log has of the newest finalization or poll. */
  const newest = async () => {
    const entry = (await requestEntriesOf(authority)).at(-1)!;
    return { outcome: entry.outcome, controls: entry.verdict.objections.map(({ control }) => control) };
  };

  test('more sets of names than were given, all finalized at once', async () => {
    const client = await authority.registered({ maximumCertificates: 2 });
    const names = Array.from({ length: 6 }, newHost);
    const orders: Json[] = [];
    for (const name of names) orders.push(await ready(client, [name]));
    const twins = orders.map(() => client.twin(authority.trustPem));
    const answers = await Promise.all(
      orders.map((order, at) => twins[at]!.finalize(order, orderCsr([names[at]!]))),
    );
    for (const twin of twins) twin.close();
    const refused = answers.filter(({ body }) => body['status'] !== 'valid');
    assert.equal(refused.length, 4);
    for (const answer of refused) {
      await assertObjected(authority, answer, 'unauthorized', ['account-count']);
    }
    assert.equal((await certificatesOf(client)).length, 2);
  });

  test('one order finalized many times at once, by one key and by many: one certificate', async () => {
    const client = await authority.registered();
    for (const keys of [[makeKey()], Array.from({ length: 4 }, () => makeKey())]) {
      const name = newHost();
      const order = await ready(client, [name]);
      const twins = Array.from({ length: 8 }, () => client.twin(authority.trustPem));
      const answers = await Promise.all(
        twins.map((twin, at) => twin.finalize(order, orderCsr([name], keys[at % keys.length]))),
      );
      for (const twin of twins) twin.close();
      const certificates = answers
        .filter(({ status }) => status === 200)
        .map(({ body }) => body['certificate']);
      assert.equal(new Set(certificates).size, 1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        await assertObjected(authority, answer, 'badCSR', ['account-order']);
      }
      const all = await certificatesOf(client);
      assert.equal(all.length, keys.length === 1 ? 1 : 2);
    }
  });

  test('the order of another account: finalized, polled, its certificate', async () => {
    const [client, thief] = [await authority.registered(), await authority.registered()];
    const name = newHost();
    const order = await ready(client, [name]);
    for (const answer of [await thief.finalize(order, orderCsr([name])), await thief.post(order.url, null)]) {
      await assertRejected(authority, answer, 'unauthorized', /is of account .*, not/);
    }
    const done = await client.finalize(order, orderCsr([name]));
    const certificate = await thief.post(done.body['certificate'] as string, null);
    await assertRejected(authority, certificate, 'unauthorized', /is not of account/);
  });

  test('an order before all of its names are proven, and one that is over', async () => {
    const client = await authority.registered();
    const name = newHost();
    const pending = await client.order([name]);
    const early = await client.finalize(pending.body, orderCsr([name]));
    await assertRejected(authority, early, 'orderNotReady', /is pending/);
    const order = await ready(client, [newHost()]);
    await client.post((order['authorizations'] as string[])[0]!, { status: 'deactivated' });
    await assertRejected(
      authority,
      await client.finalize(order, orderCsr([name])),
      'orderNotReady',
      /is invalid/,
    );
  });

  test('a proof for one template is none for another one', async () => {
    const client = await authority.registered({}, null);
    const name = newHost();
    assert.equal((await client.order([name], { profile: 'other' })).body['status'], 'pending');
    const lax = await ready(client, [name], { profile: 'other' });
    assert.equal((await client.order([name], { profile: 'other' })).body['status'], 'ready');
    const strict = await client.order([name], { profile: 'web' });
    assert.equal(strict.body['status'], 'pending');
    assert.notDeepEqual(strict.body['authorizations'], lax['authorizations']);
    const early = await client.finalize(strict.body, orderCsr([name]));
    await assertRejected(authority, early, 'orderNotReady', /is pending/);
  });

  test('templates that an account was not given, that a directory does not have', async () => {
    const client = await authority.registered({ templates: ['other'] });
    const name = newHost();
    await assertRejected(authority, await client.order([name]), 'unauthorized', /was not given template web/);
    const other = await client.order([name], { profile: 'other' });
    await assertRejected(authority, other, 'invalidProfile', /other is not offered here/);
  });

  test('names that an account was not given', async () => {
    const client = await authority.registered({ names: ['a.example.org', '.b.example.org', '127.0.0.7'] });
    for (const name of [
      'example.org',
      'www.a.example.org',
      '*.a.example.org',
      'b.example.org',
      'ab.example.org',
      'xb.example.org',
      'a.example.org.evil.test',
      '*.example.org',
    ]) {
      const answer = await client.order(['a.example.org', name]);
      const { body } = answer;
      await assertRejected(authority, answer, 'rejectedIdentifier', /not given to this account/);
      assert.deepEqual(
        (body['subproblems'] as Json[]).map(({ identifier }) => (identifier as Json)['value']),
        [name],
      );
    }
    const address = await client.order([{ type: 'ip', value: '127.0.0.8' }]);
    await assertRejected(authority, address, 'rejectedIdentifier', /127\.0\.0\.8/);
    assert.equal((await client.order([{ type: 'ip', value: '127.0.0.7' }, '*.b.example.org'])).status, 201);
  });

  test('a stolen account key: names that it never had wait for an operator', async () => {
    const client = await unapproved();
    const name = newHost();
    const order = await ready(client, [name]);
    await client.finalize(order, orderCsr([name]));
    await approve(client);
    assert.equal((await client.post(order.url, null)).body['status'], 'valid');
    const again = await ready(client, [name]);
    assert.equal((await client.finalize(again, orderCsr([name]))).body['status'], 'valid');
    for (const names of [[newHost()], [name, newHost()]]) {
      const other = await client.finalize(await ready(client, names), orderCsr(names));
      assert.equal(other.body['status'], 'processing', other.text);
      assert.deepEqual(await newest(), { outcome: 'held', controls: ['first-enrollment'] });
    }
    assert.equal((await certificatesOf(client)).length, 2);
  });

  test('a held order whose request comes again with another key', async () => {
    const client = await unapproved();
    const name = newHost();
    const order = await ready(client, [name]);
    await client.finalize(order, orderCsr([name]));
    await approve(client);
    const answer = await client.finalize(order, orderCsr([name], makeKey()));
    assert.equal(answer.body['status'], 'processing', answer.text);
    const done = await client.post(order.url, null);
    assert.equal(done.body['status'], 'valid');
  });

  test('a held order whose proof is given up is over, though an operator approves it', async () => {
    const client = await unapproved();
    const name = newHost();
    const order = await ready(client, [name]);
    await client.finalize(order, orderCsr([name]));
    await client.post((order['authorizations'] as string[])[0]!, { status: 'deactivated' });
    await approve(client);
    const over = await client.post(order.url, null);
    assert.equal(over.body['status'], 'invalid', over.text);
    assert.equal(typeOf(over.body['error']), 'unauthorized');
    assert.deepEqual(await certificatesOf(client), []);
  });

  test('a held order of an account that is revoked, deactivated, or whose external account key is void', async () => {
    for (const end of ['revoke', 'deactivate', 'void'] as const) {
      const client = await unapproved();
      const name = newHost();
      const order = await ready(client, [name]);
      const other = await ready(client, [newHost()]);
      await client.finalize(order, orderCsr([name]));
      await approve(client);
      const { id, externalAccountKey } = await accountOf(client);
      if (end === 'revoke') await authority.admin.client.perform('revokeAccount', { id });
      if (end === 'void') {
        await authority.admin.client.perform('voidExternalAccountKey', { id: externalAccountKey! });
      }
      if (end === 'deactivate') await client.post(client.kid!, { status: 'deactivated' });
      for (const answer of [
        await client.post(order.url, null),
        await client.finalize(other, orderCsr([name])),
      ]) {
        assert.equal(answer.status, 401);
        await assertRejected(authority, answer, 'unauthorized', /is (?:revoked|deactivated)/);
      }
      assert.deepEqual(await certificatesOf(client), []);
    }
  });

  test('the open orders of one account are bounded', async () => {
    const client = await authority.registered();
    const names = ['a.example.org'];
    for (let at = 0; at < 300; at += 1) assert.equal((await client.order(names)).status, 201);
    const answer = await client.order(names);
    assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '60']);
    await assertRejected(authority, answer, 'rateLimited', /has 300 open orders/);
    assert.equal((await (await authority.registered()).order(names)).status, 201);
  });

  test('more names than an order may have', async () => {
    const client = await authority.registered();
    const names = Array.from({ length: 101 }, (_, at) => `n${at}.example.org`);
    await assertRejected(authority, await client.order(names), 'malformed', /1 to 100/);
    assert.equal((await client.order(names.slice(1))).status, 201);
    const same = await client.order(Array.from({ length: 100 }, () => 'a.example.org'));
    assert.deepEqual(same.body['identifiers'], [{ type: 'dns', value: 'a.example.org' }]);
    // Whose certification request would be too large to be kept.
    const label = 'a'.repeat(60);
    const long = names.slice(1).map((name) => `${label}.${label}.${label}.${name}`);
    await assertRejected(authority, await client.order(long), 'malformed', /16384 characters/);
    assert.equal((await client.order(long.slice(50))).status, 201);
  });

  test('validity: longer than the template gives, in the past, backwards, of no length', async () => {
    const client = await authority.registered();
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const day = 86_400;
    for (const more of [
      { notAfter: at(91 * day) },
      { notAfter: at(-1) },
      { notBefore: at(-day) },
      { notBefore: at(91 * day) },
      { notBefore: at(day), notAfter: at(day - 1) },
      { notBefore: '2030-01-01T00:00:00.100Z', notAfter: '2030-01-01T00:00:00.900Z' },
      { notAfter: '9999-12-31T23:59:59Z' },
      { notAfter: 'tomorrow' },
      { notAfter: 1 },
    ]) {
      await assertRejected(
        authority,
        await client.order([newHost()], more),
        'malformed',
        /notBefore|notAfter/,
      );
    }
    const begin = Math.floor(Date.now() / 1000) * 1000 + 20_000;
    const empty = {
      notBefore: new Date(begin + 100).toISOString(),
      notAfter: new Date(begin + 900).toISOString(),
    };
    await assertRejected(
      authority,
      await client.order([newHost()], empty),
      'malformed',
      /notBefore and notAfter/,
    );
  });

  test('an order whose certificate would have ended before it is asked for', async () => {
    const late = await acmeAuthority(cleanup);
    const client = await late.registered();
    const name = late.host('late.example.org');
    const ordered = await client.order([name], { notAfter: new Date(Date.now() + 60_000).toISOString() });
    await client.prove(ordered.body, 'http-01', late.byHttp);
    for (const milliseconds of [60_000, 600_000]) {
      late.advance(milliseconds);
      const answer = await client.finalize(ordered.body, orderCsr([name]));
      const { verdict } = await assertObjected(late, answer, 'badCSR', ['account-order']);
      assert.match(verdict.objections[0]!.detail, /cannot end when order/);
    }
    assert.deepEqual(late.faults, []);
  });

  test('the log has a reason for each, and verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
