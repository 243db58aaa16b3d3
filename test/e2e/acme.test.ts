import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { accountKey, flattened, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { encodedLeaf, issue, leafOf, namesOf, problemOf, typeOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeCsr, makeKey } from '../harness/csr.ts';
import { entriesOf, requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

describe('ACME', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  const newest = async () => (await requestEntriesOf(authority)).at(-1)!;
  let hosts = 0;
  const newHost = () => authority.host(`host-${(hosts += 1)}.example.org`);

  test('gives an account to who was given an external account key, and a certificate for names that it proves', async () => {
    const client = await authority.client();
    assert.equal(client.meta['externalAccountRequired'], true);
    const registered = await client.register(await authority.eab(), { contact: ['mailto:ada@example.org'] });
    assert.equal(registered.status, 201, registered.text);
    assert.deepEqual(registered.body['contact'], ['mailto:ada@example.org']);
    const names = [newHost(), newHost()];
    const ordered = await client.order(names);
    assert.equal(ordered.status, 201, ordered.text);
    assert.equal(ordered.body['status'], 'pending');
    for (const answer of await client.prove(ordered.body, 'http-01', authority.byHttp)) {
      assert.equal(answer.body['status'], 'valid', answer.text);
      assert.match(answer.link.join(), /rel="up"/);
    }
    const orderUrl = ordered.headers['location']!;
    const ready = await client.post(orderUrl, null);
    assert.equal(ready.body['status'], 'ready');
    const key = makeKey();
    const done = await client.finalize(ready.body, orderCsr(names, key));
    assert.equal(done.body['status'], 'valid', done.text);
    const pem = await client.download(done.body);
    assert.deepEqual(namesOf(pem), names);
    assert.deepEqual(new Uint8Array(leafOf(pem).spki), new Uint8Array(key.spki));
    const { outcome, observations, action } = await newest();
    assert.deepEqual([outcome, action, observations.source.protocol], ['issued', 'enroll', 'acme']);
    assert.deepEqual(observations.source.operation, 'finalize');
    assert.equal(
      observations.order!.authorizations.every(({ method }) => method === 'http-01'),
      true,
    );
  });

  test('renews for the same account, names and template, with another key', async () => {
    const client = await authority.registered();
    const name = newHost();
    const first = await issue(authority, client, [name]);
    const again = await client.order([name]);
    // The proof still counts.
    assert.equal(again.body['status'], 'ready');
    const done = await client.finalize(again.body, orderCsr([name]));
    assert.equal(done.body['status'], 'valid', done.text);
    const { action, observations, certificate } = await newest();
    assert.equal(action, 'renew');
    assert.equal(certificate!.predecessor, observations.presenter!.sha256);
    assert.notEqual(await client.download(done.body), first.pem);
  });

  test('gives a wildcard for a proof by DNS, and offers no other', async () => {
    const client = await authority.registered();
    const ordered = await client.order(['*.wild.example.org']);
    const [url] = ordered.body['authorizations'] as string[];
    const { body } = await client.post(url!, null);
    assert.deepEqual(
      (body['challenges'] as Json[]).map((each) => each['type']),
      ['dns-01'],
    );
    assert.deepEqual(
      [body['wildcard'], body['identifier']],
      [true, { type: 'dns', value: 'wild.example.org' }],
    );
    const answers = await client.prove(ordered.body, 'dns-01', ({ name, keyAuthorization }) => {
      authority.dns.txt(`_acme-challenge.${name}`, hash('sha256', keyAuthorization, 'base64url'));
    });
    assert.deepEqual(
      answers.map((answer) => answer.body['status']),
      ['valid'],
    );
    const done = await client.finalize(ordered.body, orderCsr(['*.wild.example.org']));
    assert.equal(done.body['status'], 'valid', done.text);
    assert.deepEqual(namesOf(await client.download(done.body)), ['*.wild.example.org']);
  });

  test('takes a name from the commonName of a request, and from nowhere else', async () => {
    const client = await authority.registered();
    const name = newHost();
    const ordered = await client.order([name]);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    const subject = [{ type: 'commonName', value: name }];
    const done = await client.finalize(ordered.body, makeCsr({ key: makeKey(), subject }));
    assert.equal(done.body['status'], 'valid', done.text);
    const pem = await client.download(done.body);
    assert.deepEqual(namesOf(pem), [name]);
    assert.deepEqual(leafOf(pem).subject, []);
  });

  test('holds the first certificate of an account whose names no operator listed, and the order goes on when it is approved', async () => {
    const client = await authority.registered({ names: null, approve: false });
    const name = newHost();
    const ordered = await client.order([name]);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    const held = await client.finalize(ordered.body, orderCsr([name]));
    assert.equal(held.body['status'], 'processing', held.text);
    assert.ok(Number(held.headers['retry-after']) >= 1);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    const pending = items.find(({ device }) => device === authority.ownerOf.get(client));
    await authority.admin.client.perform('approveRequest', { id: pending!.id });
    const orderUrl = held.headers['location']!;
    const done = await client.post(orderUrl, null);
    assert.equal(done.body['status'], 'valid', done.text);
    assert.deepEqual(namesOf(await client.download(done.body)), [name]);
  });

  test('an order that an operator denied is invalid, and says so', async () => {
    const client = await authority.registered({ names: null, approve: false });
    const device = authority.ownerOf.get(client)!;
    const name = newHost();
    const ordered = await client.order([name]);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    const held = await client.finalize(ordered.body, orderCsr([name]));
    assert.equal(held.body['status'], 'processing', held.text);
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending' });
    await authority.admin.client.perform('denyRequest', {
      id: items.find((each) => each.device === device)!.id,
    });
    const over = await client.post(held.headers['location']!, null);
    assert.equal(over.body['status'], 'invalid', over.text);
    assert.equal(typeOf(over.body['error']), 'unauthorized');
  });

  test('revokes for the account, for the key of the certificate, and not twice', async () => {
    const client = await authority.registered();
    const { pem } = await issue(authority, client, [newHost()]);
    const certificate = encodedLeaf(pem);
    const revoked = await client.post(client.directory['revokeCert']!, { certificate, reason: 4 });
    assert.equal(revoked.status, 200, revoked.text);
    const again = await client.post(client.directory['revokeCert']!, { certificate });
    assert.deepEqual(problemOf(again), [400, 'alreadyRevoked']);
    const other = await authority.registered();
    const { items } = await authority.admin.client.perform('listCertificates', { state: 'revoked' });
    assert.ok(
      items.some(({ sha256 }) => sha256 === hash('sha256', Buffer.from(certificate, 'base64url'), 'hex')),
    );
    const second = await issue(authority, client, [newHost()]);
    const der = encodedLeaf(second.pem);
    const byOther = await other.post(other.directory['revokeCert']!, { certificate: der });
    assert.deepEqual(problemOf(byOther), [403, 'unauthorized']);
  });

  test('changes the key of an account', async () => {
    const client = await authority.registered();
    const key = accountKey('ES384');
    const url = client.directory['keyChange']!;
    const inner = flattened(
      { alg: key.alg, jwk: key.jwk, url },
      JSON.stringify({ account: client.kid, oldKey: client.key.jwk }),
      key,
    );
    const changed = await client.post(url, inner);
    assert.equal(changed.status, 200, changed.text);
    const old = await client.post(client.kid!, null);
    assert.equal(old.status, 400);
    client.key = key;
    assert.equal((await client.post(client.kid!, null)).status, 200);
  });

  test('tells when to renew, and takes an order that replaces', async () => {
    const client = await authority.registered();
    const name = newHost();
    const { pem } = await issue(authority, client, [name]);
    const { authorityKeyIdentifier, serialNumber } = leafOf(pem);
    const serial = Buffer.from(serialNumber, 'hex');
    const octets = serial[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial;
    const id = `${Buffer.from(authorityKeyIdentifier!).toString('base64url')}.${octets.toString('base64url')}`;
    const info = await client.get(`${client.directory['renewalInfo']}/${id}`);
    assert.equal(info.status, 200, info.text);
    const { start, end } = info.body['suggestedWindow'] as { start: string; end: string };
    assert.ok(Date.parse(start) < Date.parse(end) && Date.parse(end) < leafOf(pem).notAfter);
    const ordered = await client.order([name], { replaces: id });
    assert.equal(ordered.status, 201, ordered.text);
    assert.deepEqual(problemOf(await client.order([name], { replaces: id })), [409, 'alreadyReplaced']);
    const other = await authority.registered();
    assert.deepEqual(problemOf(await other.order([name], { replaces: id })), [403, 'unauthorized']);
  });

  test('has all templates as profiles of one directory', async () => {
    const client = await authority.registered({}, null);
    assert.deepEqual(Object.keys(client.meta['profiles'] as object), ['web', 'other']);
    const ordered = await client.order([newHost()], { profile: 'other' });
    assert.equal(ordered.body['profile'], 'other');
    assert.equal((await client.order([newHost()])).body['profile'], 'web');
    assert.deepEqual(problemOf(await client.order([newHost()], { profile: 'device' })), [
      400,
      'invalidProfile',
    ]);
  });

  test('lists orders, deactivates authorizations and accounts', async () => {
    const client = await authority.registered();
    const ordered = await client.order([newHost()]);
    const account = await client.post(client.kid!, null);
    const list = await client.post(account.body['orders'] as string, null);
    assert.deepEqual(list.body['orders'], [ordered.headers['location']]);
    const [url] = ordered.body['authorizations'] as string[];
    const given = await client.post(url!, { status: 'deactivated' });
    assert.equal(given.body['status'], 'deactivated');
    assert.equal((await client.post(ordered.headers['location']!, null)).body['status'], 'invalid');
    const over = await client.post(client.kid!, { status: 'deactivated' });
    assert.equal(over.body['status'], 'deactivated');
    const after = await client.post(client.kid!, null);
    assert.deepEqual(problemOf(after), [401, 'unauthorized']);
  });

  test('the log verifies, with an entry for each order, answer and proof', async () => {
    const entries = await entriesOf(authority);
    const events = entries.map((entry) => (entry as { event?: string }).event);
    assert.ok(events.includes('authorization.valid'));
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
