import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { accountKey, type AcmeClient, flattened, type Json, type Wrong } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { problemOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { supportCodeOf } from '../harness/expect.ts';

describe('RFC 8555', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let client: AcmeClient;
  let order: string;
  before(async () => {
    authority = await acmeAuthority(cleanup);
    client = await authority.registered();
    const ordered = await client.order(['messages.example.org']);
    order = ordered.headers['location']!;
  });
  const ask = (wrong: Wrong) => client.post(order, null, wrong);

  describe('section 6.1, HTTPS:', () => {
    test('binary fields with a trailing "=" are refused', async () => {
      const padded = await ask({ body: (jws) => ({ ...jws, signature: `${String(jws['signature'])}==` }) });
      assert.deepEqual(problemOf(padded), [400, 'malformed']);
    });
  });

  describe('section 6.2, request authentication:', () => {
    for (const contentType of [
      'application/json',
      'text/plain',
      'application/jose',
      'application/jose+jsonx',
    ]) {
      test(`415 to Content-Type ${contentType}`, async () => {
        assert.deepEqual(problemOf(await ask({ contentType })), [415, 'malformed']);
      });
    }

    test('Content-Type is in any case, and may have parameters', async () => {
      assert.equal((await ask({ contentType: 'Application/JOSE+json; charset=utf-8' })).status, 200);
    });

    for (const [name, body] of [
      [
        'the general serialization',
        ({ payload, ...signature }: Json) => ({ payload, signatures: [signature] }),
      ],
      ['several signatures', (jws: Json) => ({ ...jws, signatures: [] })],
      [
        'the compact serialization',
        (jws: Json) => `${String(jws['protected'])}.${String(jws['payload'])}.${String(jws['signature'])}`,
      ],
      ['an unprotected header', (jws: Json) => ({ ...jws, header: { alg: 'ES256' } })],
      ['a detached payload', (jws: Json) => ({ ...jws, payload: undefined })],
      ['no signature', (jws: Json) => ({ ...jws, signature: undefined })],
      ['a list', (jws: Json) => [jws]],
    ] as const) {
      test(`${name} is malformed`, async () => {
        assert.deepEqual(problemOf(await ask({ body })), [400, 'malformed']);
      });
    }

    test('a body that is no JSON is malformed', async () => {
      assert.deepEqual(problemOf(await ask({ body: () => 'x' })), [400, 'malformed']);
    });

    for (const [name, header] of [
      ['the unencoded payload option', { b64: false }],
      ['the unencoded payload option, critical', { b64: false, crit: ['b64'] }],
      ['a critical extension', { crit: ['exp'], exp: 0 }],
    ] as const) {
      test(`${name} is malformed`, async () => {
        assert.deepEqual(problemOf(await ask({ header })), [400, 'malformed']);
      });
    }

    test('header parameters that are not known are ignored', async () => {
      assert.equal(
        (await ask({ header: { typ: 'jose+json', cty: 'x', else: { is: 'ignored' } } })).status,
        200,
      );
    });

    for (const alg of ['none', 'HS256', 'HS512', 'RS1', 'PS256', 'ES256K', 'es256']) {
      test(`alg ${alg} is badSignatureAlgorithm, with the algorithms that are taken`, async () => {
        const refused = await ask({ header: { alg } });
        assert.deepEqual(problemOf(refused), [400, 'badSignatureAlgorithm']);
        const algorithms = refused.body['algorithms'] as string[];
        for (const taken of ['ES256', 'EdDSA', 'RS256']) assert.ok(algorithms.includes(taken), taken);
        assert.ok(!algorithms.some((each) => /^(?:HS|none)/.test(each)));
      });
    }

    for (const alg of ['ES256', 'EdDSA', 'RS256', 'ES384'] as const) {
      test(`an account key may sign by ${alg}`, async () => {
        const other = await authority.client('web', accountKey(alg));
        assert.equal((await other.register(await authority.eab())).status, 201);
        assert.equal((await other.post(other.kid!, null)).status, 200);
      });
    }

    test('a signature by another key is malformed', async () => {
      assert.deepEqual(problemOf(await ask({ signWith: accountKey() })), [400, 'malformed']);
    });

    test('an alg that is not of the key is malformed', async () => {
      assert.deepEqual(problemOf(await ask({ header: { alg: 'ES384' } })), [400, 'malformed']);
    });

    test('jwk and kid together are malformed, and neither is', async () => {
      assert.deepEqual(problemOf(await ask({ header: { jwk: client.key.jwk } })), [400, 'malformed']);
      const neither = (nonce: string) => flattened({ alg: 'ES256', nonce, url: order }, '', client.key);
      const nonce = await client.nonce();
      assert.deepEqual(problemOf(await ask({ nonce, body: () => neither(nonce) })), [400, 'malformed']);
    });

    test('newAccount takes a jwk, everything else a kid', async () => {
      const { newAccount, newOrder, keyChange } = client.directory;
      const byKid = await client.post(newAccount!, { onlyReturnExisting: true }, { by: 'kid' });
      assert.deepEqual(problemOf(byKid), [400, 'malformed']);
      for (const url of [newOrder!, keyChange!, client.kid!, order, `${order}/finalize`]) {
        assert.deepEqual(problemOf(await client.post(url, {}, { by: 'jwk' })), [400, 'malformed'], url);
      }
    });

    test('a kid that is no account is accountDoesNotExist', async () => {
      const base = client.kid!.replace(/[^/]+$/, '');
      for (const kid of [
        `${base}AAAAAAAAAAAAAAAAAAAAAA`,
        base,
        'x',
        `${client.kid}/`,
        client.kid!.replace('https', 'http'),
      ]) {
        assert.deepEqual(problemOf(await ask({ kid })), [400, 'accountDoesNotExist'], kid);
      }
    });

    describe('badPublicKey, with the reason:', () => {
      const key = accountKey();
      const rsa = accountKey('RS256');
      for (const [name, alg, jwk] of [
        ['RSA below 2048 bits', 'RS256', { ...rsa.jwk, n: Buffer.alloc(128, 0xc1).toString('base64url') }],
        ['a point off the curve', 'ES256', { ...key.jwk, y: key.jwk['x'] }],
        ['a coordinate too short', 'ES256', { ...key.jwk, x: 'AA' }],
        ['a private key', 'ES256', key.privateKey.export({ format: 'jwk' }) as Json],
        ['a symmetric key', 'ES256', { kty: 'oct', k: 'AAAA' }],
        ['Ed448', 'EdDSA', { kty: 'OKP', crv: 'Ed448', x: Buffer.alloc(57, 1).toString('base64url') }],
        ['no key', 'ES256', 'key'],
      ] as const) {
        test(name, async () => {
          const other = await authority.client();
          const refused = await other.post(other.directory['newAccount']!, {}, { header: { alg, jwk } });
          assert.deepEqual(problemOf(refused), [400, 'badPublicKey']);
          assert.match(String(refused.body['detail']), /JWK/);
        });
      }
    });

    test('nothing is done by a message whose signature fails', async () => {
      const list = async () => (await client.post(`${client.kid}/orders`, null)).text;
      const before = await list();
      const identifiers = [{ type: 'dns', value: 'unsigned.example.org' }];
      await client.post(client.directory['newOrder']!, { identifiers }, { signWith: accountKey() });
      assert.equal(await list(), before);
    });
  });

  describe('section 6.3, GET and POST-as-GET:', () => {
    test('a GET is 405 and malformed, but for the directory, newNonce and renewal information', async () => {
      const { newAccount, newOrder, revokeCert, keyChange } = client.directory;
      for (const url of [
        newAccount!,
        newOrder!,
        revokeCert!,
        keyChange!,
        client.kid!,
        order,
        `${order}/finalize`,
      ]) {
        const refused = await client.get(url);
        assert.deepEqual(problemOf(refused), [405, 'malformed'], url);
        assert.equal(refused.headers['allow'], 'POST');
      }
    });

    test('POST-as-GET is for the directory and newNonce too, and tells what GET does', async () => {
      const { newNonce } = client.directory;
      const directory = newNonce!.replace('new-nonce', 'directory');
      const posted = await client.post(directory, null);
      assert.deepEqual([posted.status, posted.text], [200, (await client.get(directory)).text]);
      const nonce = await client.post(newNonce!, null);
      assert.deepEqual([nonce.status, nonce.text, nonce.headers['cache-control']], [204, '', 'no-store']);
      assert.ok(nonce.headers['replay-nonce']);
    });

    test('and authenticates who asks: a key without an account, or a payload, is refused', async () => {
      const directory = client.directory['newNonce']!.replace('new-nonce', 'directory');
      assert.deepEqual(problemOf(await client.post(directory, null, { by: 'jwk' })), [400, 'malformed']);
      assert.deepEqual(problemOf(await client.post(directory, {})), [400, 'malformed']);
      assert.deepEqual(problemOf(await client.post(directory, null, { signWith: accountKey() })), [
        400,
        'malformed',
      ]);
    });

    test('an empty object is no POST-as-GET', async () => {
      assert.deepEqual(problemOf(await client.post(order, {})), [400, 'malformed']);
      assert.deepEqual(problemOf(await client.post(`${client.kid}/orders`, {})), [400, 'malformed']);
    });

    test('what takes a payload takes no POST-as-GET', async () => {
      const { newOrder, revokeCert, keyChange } = client.directory;
      for (const url of [newOrder!, revokeCert!, keyChange!, `${order}/finalize`]) {
        assert.deepEqual(problemOf(await client.post(url, null)), [400, 'malformed'], url);
      }
    });

    test('access rules hold for it: what is of another account is unauthorized', async () => {
      const other = await authority.registered();
      const [authorization] = (await client.post(order, null)).body['authorizations'] as string[];
      for (const url of [
        order,
        authorization!,
        `${authorization}`.replace('authorization', 'challenge') + '/http-01',
      ]) {
        assert.deepEqual(problemOf(await other.post(url, null)), [403, 'unauthorized'], url);
      }
      assert.deepEqual(problemOf(await other.post(client.kid!, null)), [403, 'unauthorized']);
    });

    test('what is not there is 404', async () => {
      const base = `${authority.base}/acme`;
      for (const path of [
        'order/AAAA',
        'authorization/AAAA',
        'challenge/AAAA/http-01',
        `certificate/${'0'.repeat(64)}`,
      ]) {
        assert.deepEqual(problemOf(await client.post(`${base}/${path}`, null)), [404, 'malformed'], path);
      }
      assert.equal((await client.get(`${base}/nothing`)).status, 404);
    });
  });

  describe('section 6.4, integrity of the URL:', () => {
    test('another url is unauthorized', async () => {
      for (const url of [client.kid!, `${order}/`, `${order}?`, order.replace('https:', 'HTTPS:'), 'x']) {
        assert.deepEqual(problemOf(await ask({ url })), [403, 'unauthorized'], url);
      }
    });

    test('6.4.1: a url that is no string is malformed, and so is none', async () => {
      assert.deepEqual(problemOf(await ask({ header: { url: 1 } })), [400, 'malformed']);
      assert.deepEqual(problemOf(await ask({ header: { url: undefined } })), [400, 'malformed']);
    });
  });

  describe('section 6.6, limits:', () => {
    test('too many requests are rateLimited, with Retry-After', async () => {
      const strict = await acmeAuthority(cleanup, (yaml) =>
        yaml.replace('burst: 100000', 'burst: 10').replace('count: 100000', 'count: 10'),
      );
      const crowd = await strict.client();
      const answers = [];
      for (let asked = 0; asked < 12; asked += 1) {
        answers.push(await crowd.get(crowd.directory['newNonce']!));
      }
      const refused = answers.find(({ status }) => status === 429)!;
      assert.deepEqual(problemOf(refused), [429, 'rateLimited']);
      assert.ok(Number(refused.headers['retry-after']) >= 1);
    });
  });

  describe('section 6.7, errors:', () => {
    test('are problem documents in the namespace of ACME, with the support code of their entry', async () => {
      const refused = await client.order(['elsewhere.example.com']);
      assert.equal(refused.headers['content-type'], 'application/problem+json');
      assert.deepEqual(problemOf(refused), [403, 'rejectedIdentifier']);
      assert.equal(refused.body['status'], 403);
      const { entry } = await authority.admin.entry(supportCodeOf(refused));
      assert.equal(entry.type, 'request');
    });

    test('6.7.1: subproblems name the identifiers, the top level none', async () => {
      const refused = await client.order(['fine.example.org', 'one.example.com', 'two.example.com']);
      assert.deepEqual(problemOf(refused), [403, 'rejectedIdentifier']);
      assert.equal('identifier' in refused.body, false);
      assert.deepEqual(
        (refused.body['subproblems'] as Json[]).map(({ identifier }) => identifier),
        [
          { type: 'dns', value: 'one.example.com' },
          { type: 'dns', value: 'two.example.com' },
        ],
      );
    });
  });
});
