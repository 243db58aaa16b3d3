import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { pemToDer } from '#x509';
import { accountKey, type AcmeClient, flattened, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { assertRejected, problemOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey, renewalCsr } from '../harness/csr.ts';
import { base64, est } from '../harness/est-client.ts';
import { assertRefused } from '../harness/expect.ts';
import { verifyLog } from '../harness/log-findings.ts';

const encode = (value: string | Uint8Array) => Buffer.from(value).toString('base64url');
const json = (value: unknown) => encode(JSON.stringify(value));

describe('accounts, and the keys that owners were given for them', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup, (yaml) => {
      const settings = parse(yaml) as Record<
        string,
        Record<string, Record<string, Record<string, { templates: string[] }>>>
      >;
      settings['listeners']!['enroll']!['protocols']!['est']!.templates.push('web');
      (settings['templates']!['web'] as unknown as { extendedKeyUsage: string[] }).extendedKeyUsage.push(
        'clientAuth',
      );
      return stringify(settings, { aliasDuplicateObjects: false });
    });
  });
  let hosts = 0;
  const newHost = () => authority.host(`host-${(hosts += 1)}.example.org`);
  const register = (client: AcmeClient, externalAccountBinding: unknown) =>
    client.post(client.directory['newAccount']!, { externalAccountBinding }, { by: 'jwk' });
  const issued = async (client: AcmeClient, names: readonly string[], key = makeKey()) => {
    const ordered = await client.order(names);
    await client.prove(ordered.body, 'http-01', authority.byHttp);
    const done = await client.finalize(ordered.body, orderCsr(names, key));
    assert.equal(done.body['status'], 'valid', done.text);
    return client.download(done.body);
  };
  const accountOf = async (client: AcmeClient) => {
    const { items } = await authority.admin.client.perform('listAccounts', {
      device: authority.ownerOf.get(client)!,
    });
    return items[0]!;
  };
  const unbound = 'the external account binding is not valid';

  test('no binding, and bindings that are none', async () => {
    const client = await authority.client();
    for (const binding of [undefined, null]) {
      await assertRejected(
        authority,
        await register(client, binding),
        'externalAccountRequired',
        /needs an external account key/,
      );
    }
    for (const binding of [{}, [], 'x', 1, { protected: '', payload: '', signature: '' }]) {
      await assertRejected(authority, await register(client, binding), 'malformed', /./);
    }
  });

  test('a binding by another MAC key, for another account key, made for another address, of another algorithm', async () => {
    const client = await authority.client();
    const [eab, other] = [await authority.eab(), await authority.eab()];
    for (const [binding, words] of [
      [client.binding({ keyId: eab.keyId, hmacKey: other.hmacKey }), /MAC is not by external account key/],
      [client.binding({ keyId: eab.keyId, hmacKey: '' }), /MAC is not by external account key/],
      [
        client.binding({ keyId: 'K-0000-0000-0000-0000', hmacKey: eab.hmacKey }),
        /no external account key has this identifier/,
      ],
      [
        client.binding({ keyId: "' or 1=1 --", hmacKey: eab.hmacKey }),
        /no external account key has this identifier/,
      ],
      [client.binding(eab, { jwk: accountKey().jwk }), /of another account key/],
      [client.binding(eab, { url: client.directory['newOrder']! }), /made for/],
      [client.binding(eab, { url: client.directory['newAccount']!.replace('/web/', '/other/') }), /made for/],
    ] as const) {
      const answer = await register(client, binding);
      await assertRejected(authority, answer, 'unauthorized', words);
      // Which of them it was, a guesser is not told.
      assert.ok((answer.body['detail'] as string).startsWith(unbound));
    }
    for (const alg of ['none', 'HS512', 'ES256']) {
      const answer = await register(client, client.binding(eab, { alg }));
      assert.deepEqual(problemOf(answer), [400, 'badSignatureAlgorithm']);
    }
    // Signed by the account key, with the identifier of what nobody gave.
    const forged = flattened(
      { alg: 'ES256', kid: eab.keyId, url: client.directory['newAccount']! },
      JSON.stringify(client.key.jwk),
      client.key,
    );
    assert.deepEqual(problemOf(await register(client, forged)), [400, 'badSignatureAlgorithm']);
    const header = json({ alg: 'HS256', kid: eab.keyId, url: client.directory['newAccount'] });
    const payload = json(client.key.jwk);
    const mac = createHmac('sha256', Buffer.from(eab.hmacKey, 'base64url'))
      .update(`${header}.${payload}`)
      .digest();
    const short = { protected: header, payload, signature: encode(mac.subarray(0, 16)) };
    await assertRejected(authority, await register(client, short), 'unauthorized', /MAC is not by/);
    // It can be spent all the same.
    assert.equal((await register(client, client.binding(eab))).status, 201);
  });

  test('a key that is spent, void, or expired', async () => {
    const eab = await authority.eab();
    assert.equal((await (await authority.client()).register(eab)).status, 201);
    await assertRejected(
      authority,
      await (await authority.client()).register(eab),
      'unauthorized',
      /is spent/,
    );
    const withdrawn = await authority.eab();
    await authority.admin.client.perform('voidExternalAccountKey', { id: withdrawn.keyId });
    await assertRejected(
      authority,
      await (await authority.client()).register(withdrawn),
      'unauthorized',
      /is void/,
    );
    const short = await authority.eab({ lifetimeSeconds: 60 });
    authority.advance(60_000);
    await assertRejected(
      authority,
      await (await authority.client()).register(short),
      'unauthorized',
      /has expired/,
    );
  });

  test('ten accounts for one key at once, and one account for ten keys', async () => {
    const eab = await authority.eab();
    const clients = await Promise.all(Array.from({ length: 10 }, () => authority.client()));
    const answers = await Promise.all(clients.map((client) => client.register(eab)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      await assertRejected(authority, answer, 'unauthorized', /is (?:spent|not live any more)/);
    }
    const key = accountKey();
    const eabs = await Promise.all(Array.from({ length: 10 }, () => authority.eab()));
    const twins = await Promise.all(eabs.map(() => authority.client('web', key)));
    const made = await Promise.all(twins.map((client, at) => client.register(eabs[at]!)));
    assert.equal(made.filter(({ status }) => status === 201).length, 1);
    const ids = made.filter(({ status }) => status < 300).map(({ headers }) => headers['location']);
    assert.equal(new Set(ids).size, 1);
    const { items } = await authority.admin.client.perform('listExternalAccountKeys', { state: 'live' });
    assert.equal(eabs.filter(({ keyId }) => items.some(({ id }) => id === keyId)).length, 9);
  });

  test('an account is not made again with the key of one that ended', async () => {
    for (const end of ['revoke', 'void', 'deactivate'] as const) {
      const client = await authority.registered();
      const { id, externalAccountKey } = await accountOf(client);
      if (end === 'revoke') await authority.admin.client.perform('revokeAccount', { id });
      if (end === 'void') {
        await authority.admin.client.perform('voidExternalAccountKey', { id: externalAccountKey! });
      }
      if (end === 'deactivate') await client.post(client.kid!, { status: 'deactivated' });
      client.kid = null;
      const answer = await client.register(await authority.eab());
      await assertRejected(authority, answer, 'unauthorized', /is (?:revoked|deactivated)/);
      // Nor does another one get its key.
      const other = await authority.registered();
      await assertRejected(
        authority,
        await changeKey(other, client.key),
        'malformed',
        /another account has this key/,
      );
    }
  });

  async function changeKey(
    client: AcmeClient,
    key: AcmeClient['key'],
    wrong: { account?: string; oldKey?: Json; header?: Json; url?: string } = {},
  ) {
    const url = client.directory['keyChange']!;
    const inner = flattened(
      { alg: key.alg, jwk: key.jwk, url: wrong.url ?? url, ...wrong.header },
      JSON.stringify({ account: wrong.account ?? client.kid, oldKey: wrong.oldKey ?? client.key.jwk }),
      key,
    );
    return client.post(url, inner);
  }

  test('key changes for another account, from another key, for another address, with a nonce, to a key that is taken', async () => {
    const [client, other] = [await authority.registered(), await authority.registered()];
    const key = accountKey();
    for (const [wrong, words] of [
      [{ account: other.kid! }, /names another account/],
      [{ oldKey: other.key.jwk }, /oldKey is not the key/],
      [{ oldKey: key.jwk }, /oldKey is not the key/],
      [{ url: client.directory['newOrder']! }, /for another address/],
      [{ header: { nonce: encode('nonce') } }, /must have no nonce/],
      [{ header: { jwk: undefined, kid: client.kid } }, /takes a "jwk"/],
      [{ header: { jwk: accountKey().jwk } }, /signature by the key/],
    ] as const) {
      await assertRejected(authority, await changeKey(client, key, wrong), 'malformed', words);
    }
    const taken = await changeKey(client, other.key);
    assert.deepEqual([taken.status, taken.headers['location']], [409, other.kid]);
    assert.equal((await changeKey(client, client.key)).status, 409);
    // Two at once to one key: it is one account's.
    const twins = await Promise.all([changeKey(client, key), changeKey(other, key)]);
    assert.deepEqual(
      twins.map(({ status }) => status).toSorted((left, right) => left - right),
      [200, 409],
    );
  });

  test('revocation by who may not: another account, another key, proofs for some of the names, an account that ended', async () => {
    const client = await authority.registered();
    const [a, b] = [newHost(), newHost()];
    const key = makeKey();
    const pem = await issued(client, [a, b], key);
    const certificate = encode(pemToDer(pem, 'CERTIFICATE')[0]!);
    const revoke = (by: AcmeClient, more: Json = {}, wrong = {}) =>
      by.post(by.directory['revokeCert']!, { certificate, ...more }, wrong);
    const other = await authority.registered();
    await assertRejected(authority, await revoke(other), 'unauthorized', /neither ordered/);
    await issued(other, [a]);
    await assertRejected(authority, await revoke(other), 'unauthorized', /neither ordered/);
    await assertRejected(
      authority,
      await revoke(await authority.client(), {}, { by: 'jwk' }),
      'unauthorized',
      /is not that of the certificate/,
    );
    for (const reason of [2, 6, 7, 8, 9, 10, 11, -1, '1', null, 1.5]) {
      await assertRejected(authority, await revoke(client, { reason }), 'badRevocationReason', /one of/);
    }
    const changed = Buffer.from(certificate, 'base64url');
    changed[changed.length - 1]! ^= 1;
    await assertRejected(
      authority,
      await revoke(client, { certificate: encode(changed) }),
      'malformed',
      /no account has ordered/,
    );
    await issued(other, [b]);
    const { externalAccountKey } = await accountOf(other);
    await authority.admin.client.perform('voidExternalAccountKey', { id: externalAccountKey! });
    await assertRejected(
      authority,
      await revoke(other),
      'unauthorized',
      /is revoked: its external account key is void/,
    );
    assert.equal((await revoke(client)).status, 200);
    await assertRejected(authority, await revoke(client), 'alreadyRevoked', /revoked already/);
  });

  test('a certificate that an account ordered is renewed by an order alone, whatever else the listener serves', async () => {
    const client = await authority.registered();
    const name = newHost();
    const key = makeKey();
    const [der] = pemToDer(await issued(client, [name], key), 'CERTIFICATE');
    for (const revoked of [false, true]) {
      const { id } = await accountOf(client);
      if (revoked) await authority.admin.client.perform('revokeAccount', { id });
      const answer = await est({
        url: `${authority.est}/web/simplereenroll`,
        body: base64(renewalCsr(der!, key)),
        client: { certificate: der!, key },
        trust: authority.trustPem,
      });
      const controls = ['authorized', 'count', 'names', 'order', 'template', 'valid'];
      const { facts } = await assertRefused(
        authority,
        answer,
        403,
        controls.map((each) => `account-${each}`),
      );
      assert.match(facts.reasons['account-valid']!, /another order renews it/);
    }
  });

  test('the log verifies', async () => {
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
