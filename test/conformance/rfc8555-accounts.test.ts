import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { issue, problemOf, readyOrder, statusOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

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
