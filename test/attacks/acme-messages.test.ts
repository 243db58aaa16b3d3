import assert from 'node:assert/strict';
import { createHmac, sign } from 'node:crypto';
import https from 'node:https';
import { before, describe, test } from 'node:test';
import { accountKey, type AcmeClient, flattened, type Json } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { assertRejected, typeOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { requestEntriesOf } from '../harness/entries.ts';
import { verifyLog } from '../harness/log-findings.ts';

const encode = (value: string | Uint8Array) => Buffer.from(value).toString('base64url');

describe('messages of ACME that are played against the authority', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let client: AcmeClient;
  let other: AcmeClient;
  before(async () => {
    authority = await acmeAuthority(cleanup);
    [client, other] = [await authority.registered(), await authority.registered()];
  });
  const order = { identifiers: [{ type: 'dns', value: 'a.example.org' }] };
  const newOrder = () => client.directory['newOrder']!;

  /** Whatever the Host field and the body. */
  const raw = (target: string, body: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; text: string; body: Json; headers: Json }>((resolve, reject) => {
      const { hostname, port } = new URL(authority.base);
      const request = https.request(
        {
          hostname,
          port,
          path: target,
          method: 'POST',
          ca: authority.trustPem,
          servername: 'localhost',
          checkServerIdentity: () => undefined,
          agent: false,
          headers: { 'Content-Type': 'application/jose+json', ...headers },
        },
        (response) => {
          response.toArray().then((parts: Buffer[]) => {
            const text = Buffer.concat(parts).toString();
            resolve({
              status: response.statusCode!,
              text,
              body: JSON.parse(text) as Json,
              headers: response.headers,
            });
          }, reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  const rejected = (answer: Awaited<ReturnType<typeof raw>>, type: string, words: RegExp) =>
    assertRejected(authority, { ...answer, link: [], headers: {} }, type, words);

  test('the same message again: its nonce was used', async () => {
    const message = JSON.stringify(client.message(newOrder(), order, await client.nonce()));
    const path = new URL(newOrder()).pathname;
    assert.equal((await raw(path, message)).status, 201);
    await rejected(await raw(path, message), 'badNonce', /was used before/);
  });

  test('the same message at once: one is taken', async () => {
    const message = JSON.stringify(client.message(newOrder(), order, await client.nonce()));
    const path = new URL(newOrder()).pathname;
    const answers = await Promise.all(Array.from({ length: 8 }, () => raw(path, message)));
    const refused = answers.filter(({ status }) => status !== 201);
    assert.deepEqual(
      refused.map(({ body }) => typeOf(body)),
      Array.from({ length: 7 }, () => 'badNonce'),
    );
  });

  test('nonces that nobody gave out, that were changed, that are old, and none', async () => {
    const fresh = Buffer.from(await client.nonce(), 'base64url');
    const ahead = Buffer.from(fresh);
    ahead.writeUIntBE(ahead.readUIntBE(0, 6) + 86_400_000, 0, 6);
    for (const nonce of [
      encode('0123456789012345678901234567890123'),
      encode(ahead),
      encode(fresh.subarray(1)),
    ]) {
      await assertRejected(
        authority,
        await client.post(newOrder(), order, { nonce }),
        'badNonce',
        /none that was given out/,
      );
    }
    const without = await client.post(newOrder(), order, { nonce: null });
    await assertRejected(authority, without, 'badNonce', /has no nonce/);
    const padded = await client.post(newOrder(), order, { nonce: `${encode(fresh)}=` });
    await assertRejected(authority, padded, 'malformed', /"nonce" is not base64url/);
  });

  test('a nonce of an hour ago', async () => {
    const later = await acmeAuthority(cleanup);
    const late = await later.registered();
    const nonce = (await late.get(late.directory['newNonce']!, 'HEAD')).headers['replay-nonce']!;
    later.advance(3_600_000);
    await assertRejected(
      later,
      await late.post(late.directory['newOrder']!, order, { nonce }),
      'badNonce',
      /older than an hour/,
    );
  });

  test('a message that was signed for another address', async () => {
    for (const url of [
      client.directory['newAccount']!,
      newOrder().replace('https:', 'http:'),
      newOrder().replace('/web/', '/other/'),
      `${newOrder()}?a`,
      `${newOrder()}/`,
      newOrder().replace(/\/\/[^/]*/, '//acme.example.com'),
    ]) {
      const answer = await client.post(newOrder(), order, { url });
      await assertRejected(authority, answer, 'unauthorized', /was signed for/);
    }
  });

  test('an address that is as long as a header may be does not fill the log', async () => {
    const message = JSON.stringify(client.message(newOrder(), order, await client.nonce()));
    const answer = await raw(`/acme/web/new-order?${'"'.repeat(30_000)}`, message);
    const entry = await assertRejected(
      authority,
      { ...answer, link: [], headers: {} },
      'unauthorized',
      /was signed for/,
    );
    assert.ok(JSON.stringify(entry).length < 8_000);
  });

  test('a Host that is none of the certificate, whatever was signed', async () => {
    const { host, port } = new URL(authority.base);
    for (const wrong of [
      'acme.example.com',
      `evil.test:${port}`,
      `${host}@evil.test`,
      `${host}/x`,
      'a b',
      '[::1',
      `${host}:1`,
    ]) {
      const url = `https://${wrong}/acme/web/new-order`;
      const message = JSON.stringify(client.message(newOrder(), order, await client.nonce(), { url }));
      const answer = await raw('/acme/web/new-order', message, { Host: wrong });
      assert.equal(answer.status, 421, wrong);
      await rejected(answer, 'malformed', /Host of the request is no name/);
      assert.match(
        String(answer.headers['link']),
        /^<https:\/\/[A-Za-z0-9.:[\]-]+\/acme\/web\/directory>;rel="index"$/,
      );
    }
  });

  test("an account's URL at another of our names is none of this one", async () => {
    const { port } = new URL(authority.base);
    const host = `localhost:${port}`;
    const other = authority.base.includes('localhost') ? `127.0.0.1:${port}` : host;
    const url = `https://${other}/acme/web/new-order`;
    const message = JSON.stringify(client.message(newOrder(), order, await client.nonce(), { url }));
    const answer = await raw('/acme/web/new-order', message, { Host: other });
    await rejected(answer, 'accountDoesNotExist', /no account is/);
  });

  test('the key of one account under the URL of another', async () => {
    const answer = await client.post(newOrder(), order, { kid: other.kid! });
    await assertRejected(authority, answer, 'malformed', /no ES256 signature by the key/);
  });

  test('URLs that are no account', async () => {
    const id = client.kid!.split('/').at(-1)!;
    for (const kid of [
      id,
      `${client.kid!}/`,
      `${client.kid!}?a`,
      client.kid!.replace('/acme/', '/ACME/'),
      `${authority.base}/acme/order/${id}`,
      `https://evil.test/acme/account/${id}`,
    ]) {
      const answer = await client.post(newOrder(), order, { kid });
      await assertRejected(authority, answer, 'accountDoesNotExist', /no account is/);
    }
  });

  test('both jwk and kid, neither, and the wrong one of the two', async () => {
    const both = await client.post(newOrder(), order, { header: { jwk: client.key.jwk } });
    await assertRejected(authority, both, 'malformed', /one of "jwk" and "kid"/);
    const neither = await client.post(newOrder(), order, { header: { kid: undefined } });
    await assertRejected(authority, neither, 'malformed', /one of "jwk" and "kid"/);
    const byKey = await client.post(newOrder(), order, { by: 'jwk' });
    await assertRejected(authority, byKey, 'malformed', /takes a "kid"/);
    const byAccount = await client.post(client.directory['newAccount']!, {}, { by: 'kid' });
    await assertRejected(authority, byAccount, 'malformed', /takes a "jwk"/);
  });

  test('alg none, a MAC under the public key, and algorithms of other keys', async () => {
    const url = newOrder();
    const path = new URL(url).pathname;
    const withMac = async (alg: string, secret: Buffer | null) => {
      const header = encode(JSON.stringify({ alg, kid: client.kid, nonce: await client.nonce(), url }));
      const payload = encode(JSON.stringify(order));
      const mac =
        secret === null
          ? Buffer.alloc(0)
          : createHmac('sha256', secret).update(`${header}.${payload}`).digest();
      return raw(path, JSON.stringify({ protected: header, payload, signature: encode(mac) }));
    };
    const { jwk } = client.key;
    for (const [alg, secret] of [
      ['none', null],
      ['HS256', Buffer.from(JSON.stringify(jwk))],
      ['HS256', Buffer.from(jwk['x'] as string, 'base64url')],
      ['RS1', Buffer.alloc(32)],
      ['ES256K', Buffer.alloc(32)],
    ] as const) {
      const answer = await withMac(alg, secret);
      await rejected(answer, 'badSignatureAlgorithm', /alg is none of/);
      assert.ok(Array.isArray(answer.body['algorithms']));
    }
    for (const alg of ['RS256', 'ES384', 'EdDSA', 'ML-DSA-44']) {
      const answer = await client.post(url, order, { header: { alg } });
      await assertRejected(authority, answer, 'malformed', /signature by the key/);
    }
  });

  test('a signature of zeros, a DER one, an empty one', async () => {
    for (const signature of [Buffer.alloc(64), Buffer.alloc(0), Buffer.from('30060201010201', 'hex')]) {
      const answer = await client.post(newOrder(), order, {
        body: (jws) => ({ ...jws, signature: encode(signature) }),
      });
      await assertRejected(authority, answer, 'malformed', /no ES256 signature/);
    }
  });

  test('more than one signature, unprotected headers, critical parameters, payloads that are not encoded', async () => {
    for (const [body, words] of [
      [(jws: Json) => ({ ...jws, header: { kid: other.kid } }), /"header" must not be used/],
      [(jws: Json) => ({ ...jws, signatures: [jws] }), /"signatures" must not be used/],
      [(jws: Json) => ({ payload: jws['payload'], signatures: [jws] }), /"signatures" must not be used/],
    ] as const) {
      await assertRejected(authority, await client.post(newOrder(), order, { body }), 'malformed', words);
    }
    for (const header of [{ crit: ['url'] }, { b64: false, crit: ['b64'] }, { b64: false }]) {
      const answer = await client.post(newOrder(), order, { header });
      await assertRejected(authority, answer, 'malformed', /must not be in the protected header/);
    }
  });

  test('a name that is there twice: in the message, in its header, in its payload', async () => {
    const url = newOrder();
    const path = new URL(url).pathname;
    const signed = async (header: string, payload: string) => {
      const { privateKey, alg } = client.key;
      const made = flattened({}, payload, { privateKey, alg, jwk: {} });
      const input = `${encode(header)}.${made['payload'] as string}`;
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return JSON.stringify({
        protected: encode(header),
        payload: made['payload'],
        signature: encode(signature),
      });
    };
    const header = async (more: string) =>
      `{"alg":"ES256","kid":${JSON.stringify(client.kid)},"nonce":"${await client.nonce()}","url":"${url}"${more}}`;
    const payload = JSON.stringify(order);
    const whole = await signed(await header(''), payload);
    await rejected(await raw(path, whole.replace('{', '{"payload":"",')), 'malformed', /one name twice/);
    await rejected(
      await raw(path, await signed(await header(`,"kid":"${other.kid}"`), payload)),
      'malformed',
      /one name twice/,
    );
    const twice = '{"identifiers":[{"type":"dns","value":"a.example.org","value":"b.example.org"}]}';
    await rejected(await raw(path, await signed(await header(''), twice)), 'malformed', /one name twice/);
  });

  test('bodies that are too large, too deep, no JSON, of another type', async () => {
    const path = new URL(newOrder()).pathname;
    const large = await raw(path, JSON.stringify({ payload: 'a'.repeat(2_000_000) })).catch(
      (error: unknown) => error,
    );
    if (!(large instanceof Error)) assert.equal((large as { status: number }).status, 413);
    const long = await raw(path, JSON.stringify({ payload: 'a'.repeat(65_000), more: 'a'.repeat(1000) }));
    assert.equal(long.status, 413);
    for (const depth of [40, 30_000]) {
      const deep = await raw(path, '['.repeat(depth) + ']'.repeat(depth));
      await rejected(deep, 'malformed', /deeper than|no JSON/);
    }
    const inner = await client.post(newOrder(), null, {
      payload: `{"identifiers":${'['.repeat(20)}${']'.repeat(20)}}`,
    });
    await assertRejected(authority, inner, 'malformed', /nested deeper/);
    for (const text of ['', 'null', '[]', '"a"', '{', '\uFEFF{}', '{"protected":1}']) {
      await rejected(await raw(path, text), 'malformed', /JWS/);
    }
    const typed = await client.post(newOrder(), order, { contentType: 'application/json' });
    assert.equal(typed.status, 415);
  });

  test('a member of the prototype, and numbers where text belongs', async () => {
    for (const identifiers of [
      {},
      [],
      [[]],
      ['a.example.org'],
      [{ type: 'dns' }],
      [{ type: 'dns', value: 1 }],
      [null],
      [{ __proto__: null, type: ['dns'], value: 'a.example.org' }],
    ]) {
      const answer = await client.post(newOrder(), { identifiers });
      await assertRejected(authority, answer, 'malformed', /identifier/);
    }
    for (const profile of ['__proto__', 'constructor', 'toString', 'device']) {
      const answer = await client.post(newOrder(), { ...order, profile });
      await assertRejected(authority, answer, 'invalidProfile', /is not offered here/);
    }
    await assertRejected(
      authority,
      await client.post(newOrder(), { ...order, profile: 1 }),
      'malformed',
      /profile must be a string/,
    );
  });

  test('keys that are weak, private, or of no kind', async () => {
    const url = client.directory['newAccount']!;
    const made = accountKey();
    for (const [jwk, words] of [
      [{ ...made.jwk, d: 'AAAA' }, /"d" has no place/],
      [{ ...made.jwk, x: encode(Buffer.alloc(32)) }, /no point of its curve/],
      [{ kty: 'oct', k: 'AAAA' }, /kty is none of/],
      [{ ...made.jwk, crv: 'secp256k1' }, /crv is neither/],
      [{ kty: 'RSA', e: 'AQAB', n: encode(Buffer.alloc(64, 0xc1)) }, /not accepted/],
    ] as const) {
      const stranger = await authority.client();
      const answer = await stranger.post(url, {}, { by: 'jwk', header: { jwk } });
      await assertRejected(authority, answer, 'badPublicKey', words);
    }
  });

  test('resources of others are not shown, and ids are not guessed', async () => {
    const made = await client.order(['mine.example.org']);
    const [authorization] = made.body['authorizations'] as string[];
    const challenges = (await client.post(authorization!, null)).body['challenges'] as Json[];
    for (const url of [
      made.headers['location']!,
      authorization!,
      challenges[0]!['url'] as string,
      client.kid!,
      `${client.kid!}/orders`,
    ]) {
      await assertRejected(
        authority,
        await other.post(url, null),
        'unauthorized',
        /is of account|asks for account/,
      );
    }
    for (const payload of [{ status: 'deactivated' }, {}]) {
      await assertRejected(
        authority,
        await other.post(authorization!, payload),
        'unauthorized',
        /is of account/,
      );
    }
    for (const path of [
      'order/AAAAAAAAAAAAAAAAAAAAAA',
      'authorization/__proto__',
      'certificate/00',
      'order/..%2f',
      'order/',
      'nothing',
    ]) {
      const answer = await client.post(`${authority.base}/acme/${path}`, null);
      assert.equal(answer.status, 404, path);
    }
  });

  test('the log has an entry for each, and verifies', async () => {
    const entries = await requestEntriesOf(authority);
    assert.ok(entries.every(({ outcome }) => outcome !== 'failed'));
    const { ok, findings } = await verifyLog(authority);
    assert.deepEqual([ok, findings], [true, []]);
    assert.deepEqual(authority.faults, []);
  });
});
