import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
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
import { issue, problemOf, readyOrder, statusOf } from '../harness/acme-expect.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const agreed = { termsOfServiceAgreed: true };

describe('RFC 8555', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup);
  });
  let hosts = 0;
  const newName = () => `account-${(hosts += 1)}.example.org`;

  describe('section 7.3, accounts:', () => {
    test('a new one is 201, with Location and what is known of it', async () => {
      const client = await authority.client();
      const contact = ['mailto:cert-admin@example.org', 'mailto:admin@example.org'];
      const made = await client.register(await authority.eab(), { contact });
      assert.equal(made.status, 201);
      const { status, contact: kept, orders } = made.body;
      assert.deepEqual([status, kept], ['valid', contact]);
      assert.equal(orders, `${made.headers['location']}/orders`);
    });

    test('what only a server sets, and what nobody knows, is ignored and not told again', async () => {
      const client = await authority.client();
      const ignored = { status: '', orders: '', onlyReturnExisting: false, else: 'x', key: client.key.jwk };
      const made = await client.register(await authority.eab(), ignored);
      assert.equal(made.status, 201);
      const names = ['contact', 'externalAccountBinding', 'orders', 'status'];
      assert.deepEqual(Object.keys(made.body).toSorted(), names);
      assert.equal(made.body['status'], 'valid');
    });

    for (const [type, contact] of [
      ['unsupportedContact', ['tel:+12025551212']],
      ['unsupportedContact', ['https://example.org/']],
      ['invalidContact', ['mailto:ada@example.org?subject=x']],
      ['invalidContact', ['mailto:ada@example.org,bob@example.org']],
      ['invalidContact', ['mailto:ada@example.org%2Cbob@example.org']],
      ['invalidContact', ['mailto:']],
      ['invalidContact', ['mailto:ada@example.org', 7]],
      ['invalidContact', 'mailto:ada@example.org'],
    ] as const) {
      test(`contact ${JSON.stringify(contact)} is ${type}, and makes no account`, async () => {
        const client = await authority.client();
        const eab = await authority.eab();
        const refused = await client.register(eab, { contact });
        assert.deepEqual(problemOf(refused), [400, type]);
        assert.equal((await client.register(eab)).status, 201);
      });
    }

    test('7.3.1: the same key again is 200 with its Location, and nothing of the request counts', async () => {
      const client = await authority.client();
      const made = await client.register(await authority.eab(), { contact: ['mailto:ada@example.org'] });
      const { externalAccountBinding: _, ...account } = made.body;
      for (const payload of [
        { ...agreed, contact: ['mailto:eve@example.org'] },
        { ...agreed, contact: ['tel:1'] },
        { onlyReturnExisting: true },
        { ...agreed, externalAccountBinding: client.binding(await authority.eab()) },
      ]) {
        const again = await client.post(client.directory['newAccount']!, payload, { by: 'jwk' });
        assert.equal(again.status, 200);
        assert.equal(again.headers['location'], made.headers['location']);
        assert.deepEqual(again.body, account);
      }
    });

    test('7.3.1: onlyReturnExisting of a key without an account is accountDoesNotExist, and makes none', async () => {
      const client = await authority.client();
      const externalAccountBinding = client.binding(await authority.eab());
      for (const payload of [
        { onlyReturnExisting: true },
        { onlyReturnExisting: true, externalAccountBinding },
      ]) {
        for (let asked = 0; asked < 2; asked += 1) {
          const none = await client.post(client.directory['newAccount']!, payload);
          assert.deepEqual(problemOf(none), [400, 'accountDoesNotExist']);
        }
      }
    });

    test('7.3.2: an update is 200, and shows the account as it is then', async () => {
      const client = await authority.registered();
      const contact = ['mailto:new@example.org'];
      const updated = await client.post(client.kid!, { contact });
      assert.deepEqual([updated.status, updated.body['contact']], [200, contact]);
      assert.deepEqual((await client.post(client.kid!, null)).body, updated.body);
      assert.deepEqual((await client.post(client.kid!, { contact: [] })).body['contact'], []);
    });

    test('7.3.2: orders, termsOfServiceAgreed, another status and what is not known are ignored', async () => {
      const client = await authority.registered();
      const before = await client.post(client.kid!, null);
      for (const ignored of [
        { orders: 'https://example.com/', ...agreed },
        { status: '' },
        { status: 'valid' },
        { status: 'revoked' },
        { status: 7, else: {} },
        {},
      ]) {
        const answer = await client.post(client.kid!, ignored);
        assert.deepEqual([answer.status, answer.body], [200, before.body], JSON.stringify(ignored));
      }
    });

    test('7.3.2: a contact that is not taken changes nothing', async () => {
      const client = await authority.registered();
      assert.deepEqual(problemOf(await client.post(client.kid!, { contact: ['tel:1'] })), [
        400,
        'unsupportedContact',
      ]);
      assert.deepEqual((await client.post(client.kid!, null)).body['contact'], []);
    });
  });

  describe('section 7.1.2.1, the list of orders:', () => {
    test('comes in pages, with Link next, each order once', async () => {
      const client = await authority.registered();
      const made = [];
      for (let n = 0; n < 120; n += 1) made.push((await client.order([newName()])).headers['location']!);
      const listed: string[] = [];
      let pages = 0;
      for (let next: string | undefined = `${client.kid}/orders`; next !== undefined; pages += 1) {
        const page = await client.post(next, null);
        assert.equal(page.status, 200);
        listed.push(...(page.body['orders'] as string[]));
        next = page.link
          .map((link) => /^<(.+)>;rel="next"$/.exec(link)?.[1])
          .find((url) => url !== undefined);
      }
      assert.deepEqual(listed.toSorted(), made.toSorted());
      assert.equal(pages, 3);
    });

    test('has pending, ready and valid ones, and none that is invalid', async () => {
      const client = await authority.registered();
      const list = async () => (await client.post(`${client.kid}/orders`, null)).body['orders'];
      const pending = await client.order([newName()]);
      const ready = await readyOrder(authority, client, [newName()]);
      const valid = await issue(authority, client, [newName()]);
      const given = await client.order([newName()]);
      const [url] = given.body['authorizations'] as string[];
      assert.equal(((await list()) as string[]).length, 4);
      await client.post(url!, { status: 'deactivated' });
      assert.deepEqual(await list(), [pending.headers['location'], ready.url, valid.url]);
    });

    test('is of the account alone, and so is its next page', async () => {
      const [client, other] = [await authority.registered(), await authority.registered()];
      const order = (await client.order([newName()])).headers['location']!;
      assert.deepEqual(problemOf(await other.post(`${client.kid}/orders`, null)), [403, 'unauthorized']);
      const after = `${other.kid}/orders?after=${order.split('/').at(-1)}`;
      assert.equal((await other.post(after, null)).status, 404);
    });
  });

  describe('section 7.3.4, external accounts:', () => {
    const register = (client: AcmeClient, externalAccountBinding: unknown) =>
      client.post(client.directory['newAccount']!, { ...agreed, externalAccountBinding }, { by: 'jwk' });

    test('the directory says that one is required, and newAccount without is externalAccountRequired', async () => {
      const client = await authority.client();
      assert.equal(client.meta['externalAccountRequired'], true);
      assert.deepEqual(problemOf(await register(client, undefined)), [403, 'externalAccountRequired']);
    });

    test('the account that is made shows the binding as it was sent', async () => {
      const client = await authority.client();
      const binding = client.binding(await authority.eab());
      const made = await register(client, binding);
      assert.equal(made.status, 201);
      assert.deepEqual(made.body['externalAccountBinding'], binding);
    });

    test('the MAC key is shown in base64url, and its identifier is ASCII', async () => {
      const { keyId, hmacKey } = await authority.eab();
      assert.match(keyId, /^[!-~]+$/);
      assert.match(hmacKey, /^[A-Za-z0-9_-]{43,}$/);
    });

    describe('a binding is refused, and the key stays good, where', () => {
      const signed = (header: Json, payload: unknown, hmacKey: string) => {
        const [head, body] = [encode(header), encode(payload)];
        const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(`${head}.${body}`);
        return { protected: head, payload: body, signature: mac.digest('base64url') };
      };
      type Given = { keyId: string; hmacKey: string };
      const cases: [string, string, (client: AcmeClient, given: Given, right: Json) => unknown][] = [
        ['it is no object', 'malformed', () => 'x'],
        [
          'it is a JWS with an unprotected header',
          'malformed',
          (client, given) => ({ ...client.binding(given), header: {} }),
        ],
        [
          'its alg is no MAC',
          'badSignatureAlgorithm',
          (client, { keyId }, right) =>
            flattened({ ...right, alg: 'ES256', kid: keyId }, JSON.stringify(client.key.jwk), client.key),
        ],
        [
          'its alg is none',
          'badSignatureAlgorithm',
          (client, given) => client.binding(given, { alg: 'none' }),
        ],
        [
          'it has a nonce',
          'malformed',
          (client, { hmacKey }, right) => signed({ ...right, nonce: 'AAAA' }, client.key.jwk, hmacKey),
        ],
        [
          'it has no kid',
          'malformed',
          (client, { hmacKey }, right) => signed({ ...right, kid: undefined }, client.key.jwk, hmacKey),
        ],
        [
          'its url is not that of the outer JWS',
          'unauthorized',
          (client, given) => client.binding(given, { url: client.directory['newOrder']! }),
        ],
        [
          'its kid was given to nobody',
          'unauthorized',
          (client, { hmacKey }) => client.binding({ keyId: 'nobody', hmacKey }),
        ],
        [
          'its MAC is by another key',
          'unauthorized',
          (client, { keyId }) => client.binding({ keyId, hmacKey: Buffer.alloc(32).toString('base64url') }),
        ],
        [
          'its payload is another key',
          'unauthorized',
          (client, given) => client.binding(given, { jwk: accountKey().jwk }),
        ],
        ['its payload is no key', 'malformed', (_, { hmacKey }, right) => signed(right, {}, hmacKey)],
      ];
      for (const [name, type, make] of cases) {
        test(name, async () => {
          const client = await authority.client();
          const given = await authority.eab();
          const right = { alg: 'HS256', kid: given.keyId, url: client.directory['newAccount']! };
          const refused = await register(client, make(client, given, right));
          assert.equal(problemOf(refused)[1], type, refused.text);
          if (type === 'badSignatureAlgorithm') assert.deepEqual(refused.body['algorithms'], ['HS256']);
          assert.equal((await register(client, client.binding(given))).status, 201);
        });
      }
    });

    test('one key makes one account', async () => {
      const given = await authority.eab();
      const [first, second] = [await authority.client(), await authority.client()];
      assert.equal((await register(first, first.binding(given))).status, 201);
      assert.deepEqual(problemOf(await register(second, second.binding(given))), [403, 'unauthorized']);
    });
  });

  describe('section 7.3.5, key rollover:', () => {
    const change = (
      client: AcmeClient,
      key: AccountKey,
      wrong: { header?: Json; payload?: Json; signWith?: AccountKey; text?: string } = {},
    ) => {
      const url = client.directory['keyChange']!;
      const header = { alg: key.alg, jwk: key.jwk, url, ...wrong.header };
      const payload = { account: client.kid, oldKey: client.key.jwk, ...wrong.payload };
      return client.post(
        url,
        flattened(header, wrong.text ?? JSON.stringify(payload), wrong.signWith ?? key),
      );
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
      [
        'it names another account',
        'malformed',
        { payload: { account: 'https://example.com/acme/account/1' } },
      ],
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

  describe('section 7.3.6, deactivation:', () => {
    test('is 200, and everything after that is 401 and unauthorized', async () => {
      const client = await authority.registered();
      const ready = await readyOrder(authority, client, [newName()]);
      const over = await client.post(client.kid!, { status: 'deactivated' });
      assert.deepEqual([over.status, statusOf(over)], [200, 'deactivated']);
      const [authorization] = ready.order['authorizations'] as string[];
      for (const url of [client.kid!, ready.url, authorization!, `${client.kid}/orders`]) {
        assert.deepEqual(problemOf(await client.post(url, null)), [401, 'unauthorized'], url);
      }
      for (const url of [client.kid!, client.directory['newOrder']!, ready.order['finalize'] as string]) {
        assert.deepEqual(problemOf(await client.post(url, {})), [401, 'unauthorized'], url);
      }
    });

    test('its key is refused at newAccount as well, and makes no other account', async () => {
      const client = await authority.registered();
      await client.post(client.kid!, { status: 'deactivated' });
      for (const payload of [
        { onlyReturnExisting: true },
        { ...agreed, externalAccountBinding: client.binding(await authority.eab()) },
      ]) {
        const refused = await client.post(client.directory['newAccount']!, payload, { by: 'jwk' });
        assert.deepEqual(problemOf(refused), [401, 'unauthorized']);
      }
    });

    test('revokes no certificate', async () => {
      const client = await authority.registered();
      await issue(authority, client, [newName()]);
      await client.post(client.kid!, { status: 'deactivated' });
      const device = authority.ownerOf.get(client)!;
      const { items } = await authority.admin.client.perform('listCertificates', { device });
      assert.deepEqual(
        items.map(({ revokedAt }) => revokedAt),
        [null],
      );
    });

    test('is asked for by the account alone', async () => {
      const [client, other] = [await authority.registered(), await authority.registered()];
      assert.deepEqual(problemOf(await other.post(client.kid!, { status: 'deactivated' })), [
        403,
        'unauthorized',
      ]);
      assert.equal((await client.post(client.kid!, null)).status, 200);
    });

    test('an account that was revoked here is told so in the same way', async () => {
      const client = await authority.registered();
      await authority.admin.client.perform('revokeAccount', { id: client.kid!.split('/').at(-1)! });
      assert.deepEqual(problemOf(await client.post(client.kid!, null)), [401, 'unauthorized']);
    });
  });
});
