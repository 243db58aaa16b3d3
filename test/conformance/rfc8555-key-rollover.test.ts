import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  type AccountKey,
  accountKey,
  type AcmeClient,
  flattened,
  type Json,
  orderCsr,
} from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { problemOf, readyOrder, statusOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

describe('RFC 8555, section 7.3.5, key rollover:', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `rollover-${(hosts += 1)}.example.org`;

  const change = (
    client: AcmeClient,
    key: AccountKey,
    wrong: { header?: Json; payload?: Json; signWith?: AccountKey; text?: string } = {},
  ) => {
    const url = client.directory['keyChange']!;
    const header = { alg: key.alg, jwk: key.jwk, url, ...wrong.header };
    const payload = { account: client.kid, oldKey: client.key.jwk, ...wrong.payload };
    return client.post(url, flattened(header, wrong.text ?? JSON.stringify(payload), wrong.signWith ?? key));
  };

  test('replaces the key: 200, the new one is good and the old one is not', async () => {
    const client = await authority.registered();
    const [old, key] = [client.key, accountKey('EdDSA')];
    const changed = await change(client, key);
    assert.deepEqual([changed.status, statusOf(changed)], [200, 'valid']);
    assert.deepEqual(problemOf(await client.post(client.kid!, null)), [400, 'malformed']);
    client.key = key;
    assert.equal((await client.post(client.kid!, null)).status, 200);
    const found = await client.post(
      client.directory['newAccount']!,
      { onlyReturnExisting: true },
      { by: 'jwk' },
    );
    assert.deepEqual([found.status, found.headers['location']], [200, client.kid]);
    client.key = old;
    const gone = await client.post(
      client.directory['newAccount']!,
      { onlyReturnExisting: true },
      { by: 'jwk' },
    );
    assert.deepEqual(problemOf(gone), [400, 'accountDoesNotExist']);
  });

  const other = accountKey();
  for (const [name, type, wrong] of [
    ['the inner JWS has a nonce', 'malformed', { header: { nonce: 'AAAA' } }],
    ['the inner JWS has another url', 'malformed', { header: { url: 'https://example.com/' } }],
    ['the inner JWS has a kid', 'malformed', { header: { jwk: undefined, kid: 'x' } }],
    ['the inner JWS has both jwk and kid', 'malformed', { header: { kid: 'x' } }],
    ['the inner JWS is by another key', 'malformed', { signWith: other }],
    ['the inner alg is a MAC', 'badSignatureAlgorithm', { header: { alg: 'HS256' } }],
    [
      'the new key is weak',
      'badPublicKey',
      { header: { alg: 'RS256', jwk: { kty: 'RSA', e: 'AQAB', n: 'wQ' } } },
    ],
    ['the payload is no key-change object', 'malformed', { text: '[]' }],
    ['it has no account', 'malformed', { payload: { account: undefined } }],
    ['it names another account', 'malformed', { payload: { account: 'https://example.com/acme/account/1' } }],
    ['it has no oldKey', 'malformed', { payload: { oldKey: undefined } }],
    ['oldKey is another key', 'malformed', { payload: { oldKey: other.jwk } }],
  ] as const) {
    test(`is refused where ${name}`, async () => {
      const client = await authority.registered();
      assert.deepEqual(problemOf(await change(client, accountKey(), wrong)), [400, type]);
      assert.equal((await client.post(client.kid!, null)).status, 200);
    });
  }

  test('is refused where the payload of the outer JWS is no JWS', async () => {
    const client = await authority.registered();
    for (const payload of [{}, [], { account: client.kid, oldKey: client.key.jwk }]) {
      assert.deepEqual(problemOf(await client.post(client.directory['keyChange']!, payload)), [
        400,
        'malformed',
      ]);
    }
  });

  test('a key that an account has is 409, with the Location of that account', async () => {
    const [client, holder] = [await authority.registered(), await authority.registered()];
    for (const { key, kid } of [holder, client]) {
      const refused = await change(client, key);
      assert.deepEqual([...problemOf(refused), refused.headers['location']], [409, 'malformed', kid]);
    }
  });

  test('invalidates no order and no authorization: both go on with the new key', async () => {
    const client = await authority.registered();
    const [proven, pending] = [newName(), authority.host(newName())];
    const ready = await readyOrder(authority, client, [proven]);
    const waiting = await client.order([pending]);
    const key = accountKey();
    assert.equal((await change(client, key)).status, 200);
    client.key = key;
    const done = await client.finalize(ready.order, orderCsr([proven]));
    assert.equal(statusOf(done), 'valid', done.text);
    const [answer] = await client.prove(waiting.body, 'http-01', authority.byHttp);
    assert.equal(statusOf(answer!), 'valid', answer!.text);
  });
});
