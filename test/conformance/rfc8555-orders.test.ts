import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { issue, leafOf, problemOf, readyOrder, statusOf, typeOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

const minutes = 60_000;
const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
const wholeSecond = (milliseconds: number) => Math.floor(milliseconds / 1000) * 1000;

describe('RFC 8555', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup, (yaml) =>
      yaml
        .replaceAll('networks:', 'orderLifetime: 40m\n      authorizationLifetime: 20m\n      networks:')
        .replace(/^( +)laptop:\n/m, '$&$1$1maximumValidity: 30d\n'),
    );
  });
  let hosts = 0;
  const newName = () => `order-${(hosts += 1)}.example.org`;
  /** Of what this authority takes to be now. */
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const advance = (milliseconds: number) => {
    ahead += milliseconds;
    authority.advance(milliseconds);
  };

  describe('section 7.4, newOrder:', () => {
    test('is 201 with Location and the order, whose fields are those of section 7.1.3', async () => {
      const client = await authority.registered();
      const names = [newName(), newName()];
      const made = await client.order(names);
      assert.equal(made.status, 201);
      const { status, expires, identifiers, authorizations, finalize, profile, ...others } = made.body;
      assert.deepEqual([status, profile, others], ['pending', 'web', {}]);
      assert.ok(Math.abs(Date.parse(expires as string) - now() - 40 * minutes) < 1 * minutes);
      assert.deepEqual(
        identifiers,
        names.map((value) => ({ type: 'dns', value })),
      );
      assert.equal((authorizations as string[]).length, 2);
      const read = await client.post(made.headers['location']!, null);
      assert.deepEqual([read.status, read.body], [200, made.body]);
      assert.equal(finalize, `${made.headers['location']}/finalize`);
    });

    test('ignores what only a server sets', async () => {
      const client = await authority.registered();
      const ignored = {
        status: 'valid',
        expires: '0001-01-01T00:00:00Z',
        authorizations: null,
        finalize: '',
        certificate: '',
        error: {},
      };
      const made = await client.order([newName()], ignored);
      assert.deepEqual([made.status, statusOf(made)], [201, 'pending']);
    });

    test('7.1.3: authorizations and identifiers stay what they were, to the end', async () => {
      const client = await authority.registered();
      const names = [newName(), newName()];
      const { order, url } = await readyOrder(authority, client, names);
      const same = async () => {
        const { identifiers, authorizations } = (await client.post(url, null)).body;
        assert.deepEqual([identifiers, authorizations], [order['identifiers'], order['authorizations']]);
      };
      await same();
      await client.finalize(order, orderCsr(names));
      await same();
    });

    test('7.1.3: an order shows the authorizations that are taken into account, those of earlier orders too', async () => {
      const client = await authority.registered();
      const [name, fresh] = [newName(), newName()];
      const { order } = await readyOrder(authority, client, [name]);
      const next = await client.order([name, fresh]);
      const [first, second] = next.body['authorizations'] as string[];
      assert.equal(first, (order['authorizations'] as string[])[0]);
      assert.equal(statusOf(await client.post(first!, null)), 'valid');
      assert.equal(statusOf(await client.post(second!, null)), 'pending');
    });

    test('a name that is there twice, or in another case, is ordered once', async () => {
      const client = await authority.registered();
      const name = newName();
      const made = await client.order([name, name.toUpperCase()]);
      assert.deepEqual(made.body['identifiers'], [{ type: 'dns', value: name }]);
    });

    for (const [name, identifiers] of [
      ['no identifiers', undefined],
      ['an empty list', []],
      ['no list', {}],
      ['an identifier without a value', [{ type: 'dns' }]],
      ['an identifier without a type', [{ value: 'a.example.org' }]],
      ['a value that is no string', [{ type: 'dns', value: 1 }]],
      ['more than 100', Array.from({ length: 101 }, (_, n) => ({ type: 'dns', value: `n${n}.example.org` }))],
    ] as const) {
      test(`${name}: malformed`, async () => {
        const client = await authority.registered();
        const refused = await client.post(client.directory['newOrder']!, { identifiers });
        assert.deepEqual(problemOf(refused), [400, 'malformed']);
      });
    }

    for (const type of ['email', 'DNS', 'permanent-identifier', '']) {
      test(`an identifier of type "${type}" is unsupportedIdentifier`, async () => {
        const client = await authority.registered();
        const refused = await client.order([{ type, value: 'a.example.org' }]);
        assert.deepEqual(problemOf(refused), [400, 'unsupportedIdentifier']);
      });
    }

    for (const value of [
      '_x.example.org',
      '*.*.example.org',
      'a.*.example.org',
      'xn--a.example.org',
      'a..example.org',
      'a.example.org.',
    ]) {
      test(`7.1.4: "${value}" is no domain name, and the subproblem names it`, async () => {
        const client = await authority.registered();
        const refused = await client.order([newName(), value]);
        assert.deepEqual(problemOf(refused), [400, 'malformed']);
        const [subproblem, ...others] = refused.body['subproblems'] as Json[];
        assert.deepEqual([subproblem!['identifier'], others], [{ type: 'dns', value }, []]);
      });
    }

    test('what is not given here, or not to this account, is rejectedIdentifier', async () => {
      const client = await authority.registered({ names: ['mine.example.org'] });
      for (const name of ['example.com', 'other.example.org', '*.mine.example.org']) {
        const refused = await client.order(['mine.example.org', name]);
        assert.deepEqual(problemOf(refused), [403, 'rejectedIdentifier'], name);
        const [subproblem] = refused.body['subproblems'] as Json[];
        assert.deepEqual(subproblem!['identifier'], { type: 'dns', value: name });
        assert.equal(typeOf(subproblem), 'rejectedIdentifier');
      }
      assert.equal((await client.order(['mine.example.org'])).status, 201);
    });
  });

  describe('section 7.4, notBefore and notAfter:', () => {
    test('are reflected, and are those of the certificate, in whole seconds', async () => {
      const client = await authority.registered();
      const name = newName();
      const [notBefore, notAfter] = [now() + 3 * minutes, now() + 60 * minutes];
      const { pem, order } = await issue(authority, client, [name], {
        notBefore: iso(notBefore),
        notAfter: iso(notAfter).replace('Z', '+00:00'),
      });
      const times = [wholeSecond(notBefore), wholeSecond(notAfter)];
      assert.deepEqual([order['notBefore'], order['notAfter']], times.map(iso));
      assert.deepEqual([leafOf(pem).notBefore, leafOf(pem).notAfter], times);
    });

    test('are so too where the order is finalized later than it was to begin', async () => {
      const client = await authority.registered();
      const name = newName();
      const notBefore = wholeSecond(now());
      const { order } = await readyOrder(authority, client, [name], { notBefore: iso(notBefore) });
      advance(5 * minutes);
      const done = await client.finalize(order, orderCsr([name]));
      assert.equal(statusOf(done), 'valid', done.text);
      assert.equal(leafOf(await client.download(done.body)).notBefore, notBefore);
    });

    for (const [name, times] of [
      ['notAfter beyond what the profile gives', { notAfter: 91 * 24 * 60 }],
      ['notAfter in the past', { notAfter: -1 }],
      ['notAfter before notBefore', { notBefore: 20, notAfter: 10 }],
      ['notBefore in the past', { notBefore: -5 }],
      ['notBefore beyond what the profile gives', { notBefore: 91 * 24 * 60 }],
    ] as const) {
      test(`${name}: refused`, async () => {
        const client = await authority.registered();
        const given = Object.entries(times).map(([field, at]) => [field, iso(now() + at * minutes)]);
        const refused = await client.order([newName()], Object.fromEntries(given) as Json);
        assert.deepEqual(problemOf(refused), [400, 'malformed']);
      });
    }

    for (const time of ['2030-01-01', '2030-13-01T00:00:00Z', 'tomorrow', 1_900_000_000]) {
      test(`${time} is no time of RFC 3339: malformed`, async () => {
        const client = await authority.registered();
        assert.deepEqual(problemOf(await client.order([newName()], { notAfter: time })), [400, 'malformed']);
      });
    }

    test('what Go writes for no time asks for none: step sends it', async () => {
      const client = await authority.registered();
      const unset = '0001-01-01T00:00:00Z';
      const { status, body } = await client.order([newName()], { notBefore: unset, notAfter: unset });
      assert.equal(status, 201);
      assert.deepEqual([body['notBefore'], body['notAfter']], [undefined, undefined]);
    });

    test('a certificate that would end earlier than ordered is not issued', async () => {
      const client = await authority.registered();
      const name = newName();
      // The profile gives 90 days, the class of the device 30.
      const { order, url } = await readyOrder(authority, client, [name], {
        notAfter: iso(now() + 40 * 24 * 60 * minutes),
      });
      assert.deepEqual(problemOf(await client.finalize(order, orderCsr([name]))), [400, 'badCSR']);
      assert.equal(statusOf(await client.post(url, null)), 'ready');
    });
  });

  describe('section 7.1.6, the end of orders:', () => {
    test('one that is not finalized in time is invalid, whatever was proven', async () => {
      const client = await authority.registered();
      const pending = await client.order([newName()]);
      advance(41 * minutes);
      assert.equal(statusOf(await client.post(pending.headers['location']!, null)), 'invalid');
    });

    test('one is invalid with the first of its authorizations that expires, is deactivated or fails', async () => {
      const client = await authority.registered();
      const state = async (order: { headers: Record<string, string | undefined> }) =>
        statusOf(await client.post(order.headers['location']!, null));
      const [proven, other] = [newName(), newName()];
      const { order } = await readyOrder(authority, client, [proven]);
      const expiring = await client.order([proven, other]);
      assert.equal(await state(expiring), 'pending');
      advance(21 * minutes);
      assert.equal(statusOf(await client.post((order['authorizations'] as string[])[0]!, null)), 'expired');
      assert.equal(await state(expiring), 'invalid');

      const failing = await client.order([authority.host(newName()), newName()]);
      const [url] = failing.body['authorizations'] as string[];
      const { challenges } = (await client.post(url!, null)).body as {
        challenges: { url: string; type: string }[];
      };
      await client.post(challenges.find(({ type }) => type === 'http-01')!.url, {});
      assert.equal(await state(failing), 'invalid');
    });

    test('a valid one stays valid, and its certificate there', async () => {
      const client = await authority.registered();
      const { order, url, pem } = await issue(authority, client, [newName()]);
      advance(45 * minutes);
      const later = client.twin(authority.trustPem);
      cleanup.after(() => later.close());
      assert.equal(statusOf(await later.post(url, null)), 'valid');
      assert.equal(await later.download(order), pem);
    });
  });

  describe('section 6.6, limits of newOrder:', () => {
    test('300 open orders are as many as an account may have: rateLimited, with Retry-After', async () => {
      const client = await authority.registered();
      for (let n = 0; n < 300; n += 1) assert.equal((await client.order([newName()])).status, 201);
      const refused = await client.order([newName()]);
      assert.deepEqual(problemOf(refused), [429, 'rateLimited']);
      assert.ok(Number(refused.headers['retry-after']) >= 1);
      const other = await authority.registered();
      assert.equal((await other.order([newName()])).status, 201);
    });
  });
});
