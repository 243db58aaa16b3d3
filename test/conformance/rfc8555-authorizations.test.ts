import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { AcmeAnswer, AcmeClient, Json } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { leafOf, problemOf, readyOrder, statusOf, typeOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeCsr, makeKey } from '../harness/csr.ts';

const minutes = 60_000;

interface ShownChallenge {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  readonly token: string;
  readonly validated?: string;
  readonly error?: Json;
}

const challengesOf = ({ body }: Pick<AcmeAnswer, 'body'>) => body['challenges'] as ShownChallenge[];

describe('RFC 8555', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup, (yaml) =>
      yaml.replaceAll('networks:', 'orderLifetime: 40m\n      authorizationLifetime: 20m\n      networks:'),
    );
  });
  let hosts = 0;
  const newName = () => `authorization-${(hosts += 1)}.example.org`;
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const advance = (milliseconds: number) => {
    ahead += milliseconds;
    authority.advance(milliseconds);
  };

  /** The authorization of an order of one identifier. */
  async function authorizationOf(client: AcmeClient, identifier: string | Json) {
    const ordered = await client.order([identifier]);
    assert.equal(ordered.status, 201, ordered.text);
    const [url] = ordered.body['authorizations'] as string[];
    return { url: url!, order: ordered.headers['location']!, shown: await client.post(url!, null) };
  }
  const challengeOf = (answer: AcmeAnswer, type: string) =>
    challengesOf(answer).find((each) => each.type === type)!;

  describe('section 7.1.4, authorization objects:', () => {
    test('a pending one has its identifier, the challenges that are offered, and "expires"', async () => {
      const client = await authority.registered();
      const name = newName();
      const { shown } = await authorizationOf(client, name);
      const { identifier, status, expires, challenges, ...others } = shown.body;
      assert.deepEqual([identifier, status, others], [{ type: 'dns', value: name }, 'pending', {}]);
      assert.ok(Date.parse(expires as string) > now());
      assert.deepEqual(
        (challenges as ShownChallenge[]).map(({ type }) => type),
        ['http-01', 'dns-01', 'tls-alpn-01'],
      );
    });

    test('of a wildcard it is without the "*." and with "wildcard": true; of other names without that field', async () => {
      const client = await authority.registered();
      const name = newName();
      const ordered = await client.order([`*.${name}`, name]);
      const [wild, plain] = ordered.body['authorizations'] as [string, string];
      const { body } = await client.post(wild, null);
      assert.deepEqual([body['identifier'], body['wildcard']], [{ type: 'dns', value: name }, true]);
      assert.deepEqual(
        challengesOf({ body }).map(({ type }) => type),
        ['dns-01'],
      );
      const other = (await client.post(plain, null)).body;
      assert.deepEqual([other['identifier'], 'wildcard' in other], [{ type: 'dns', value: name }, false]);
    });

    test('a valid one has the challenge that was validated alone, and "expires"', async () => {
      const client = await authority.registered();
      const { order } = await readyOrder(authority, client, [newName()]);
      const shown = await client.post((order['authorizations'] as string[])[0]!, null);
      assert.equal(statusOf(shown), 'valid');
      const [challenge, ...others] = challengesOf(shown);
      assert.deepEqual([challenge!.type, challenge!.status, others], ['http-01', 'valid', []]);
      assert.ok(Math.abs(Date.parse(challenge!.validated!) - now()) < 1 * minutes);
      assert.ok(Math.abs(Date.parse(shown.body['expires'] as string) - now() - 20 * minutes) < 1 * minutes);
    });

    test('an invalid one has the challenge that failed alone, with its error', async () => {
      const client = await authority.registered();
      const { url, shown } = await authorizationOf(client, authority.host(newName()));
      const { url: challenge } = challengeOf(shown, 'http-01');
      const failed = await client.post(challenge, {});
      assert.deepEqual([failed.status, statusOf(failed)], [200, 'invalid']);
      const after = await client.post(url, null);
      assert.equal(statusOf(after), 'invalid');
      const [only, ...others] = challengesOf(after);
      assert.deepEqual([only!.type, only!.status, others], ['http-01', 'invalid', []]);
      assert.equal(typeOf(only!.error), 'unauthorized');
    });
  });

  describe('section 8, challenge objects:', () => {
    test('have type, url, status and a token; no error and no time before they are over', async () => {
      const client = await authority.registered();
      const { shown } = await authorizationOf(client, newName());
      for (const challenge of challengesOf(shown)) {
        assert.deepEqual(Object.keys(challenge).toSorted(), ['status', 'token', 'type', 'url']);
        assert.equal(challenge.status, 'pending');
        const alone = await client.post(challenge.url, null);
        assert.deepEqual([alone.status, alone.body], [200, { ...challenge }]);
      }
    });

    test('8.3, 8.4: tokens are of the base64url alphabet without padding, with 128 bits of entropy and more', async () => {
      const client = await authority.registered();
      const tokens = [];
      for (let n = 0; n < 20; n += 1) {
        const { shown } = await authorizationOf(client, newName());
        const [token, ...others] = new Set(challengesOf(shown).map((each) => each.token));
        assert.deepEqual(others, []);
        tokens.push(token!);
      }
      for (const token of tokens) {
        assert.match(token, /^[A-Za-z0-9_-]+$/);
        assert.ok(Buffer.from(token, 'base64url').length >= 16);
      }
      assert.equal(new Set(tokens).size, tokens.length);
      // Random octets, each bit of which is one about as often as not.
      const bits = tokens.map((token) => Buffer.from(token, 'base64url'));
      for (let bit = 0; bit < 128; bit += 1) {
        const ones = bits.filter((octets) => (octets[bit >> 3]! >> (bit & 7)) & 1).length;
        assert.ok(ones > 0 && ones < bits.length, `bit ${bit} is the same in all tokens`);
      }
    });

    test('link to their authorization, as up', async () => {
      const client = await authority.registered();
      const { url, shown } = await authorizationOf(client, authority.host(newName()));
      const challenge = challengeOf(shown, 'http-01').url;
      for (const payload of [null, {}]) {
        assert.ok((await client.post(challenge, payload)).link.includes(`<${url}>;rel="up"`));
      }
    });
  });

  describe('section 7.5.1, responding to challenges:', () => {
    test('POST-as-GET begins nothing', async () => {
      const client = await authority.registered();
      const { url, shown } = await authorizationOf(client, newName());
      assert.equal(statusOf(await client.post(challengeOf(shown, 'http-01').url, null)), 'pending');
      assert.equal(statusOf(await client.post(url, null)), 'pending');
    });

    test('{} begins, and what else is in the object is ignored', async () => {
      const client = await authority.registered();
      for (const response of [{}, { keyAuthorization: 'x', type: 'dns-01', status: 'invalid' }]) {
        const { shown } = await authorizationOf(client, authority.host(newName()));
        const { url, token } = challengeOf(shown, 'http-01');
        authority.byHttp({ token, keyAuthorization: client.keyAuthorization(token) });
        const answer = await client.post(url, response);
        assert.deepEqual([answer.status, statusOf(answer), answer.body['type']], [200, 'valid', 'http-01']);
      }
    });

    test('what is no object is an error, first and later', async () => {
      const client = await authority.registered();
      const { shown } = await authorizationOf(client, authority.host(newName()));
      const { url, token } = challengeOf(shown, 'http-01');
      for (const payload of [[], 'x', 7]) {
        assert.deepEqual(problemOf(await client.post(url, payload)), [400, 'malformed']);
      }
      authority.byHttp({ token, keyAuthorization: client.keyAuthorization(token) });
      assert.equal(statusOf(await client.post(url, {})), 'valid');
      assert.deepEqual(problemOf(await client.post(url, [])), [400, 'malformed']);
    });

    test('a response again is 200, and changes nothing', async () => {
      const client = await authority.registered();
      const { shown } = await authorizationOf(client, authority.host(newName()));
      const { url, token } = challengeOf(shown, 'http-01');
      authority.byHttp({ token, keyAuthorization: client.keyAuthorization(token) });
      const first = await client.post(url, {});
      const again = await client.post(url, {});
      assert.deepEqual([again.status, again.body], [200, first.body]);
      const other = await client.post(challengeOf(shown, 'dns-01').url, {});
      assert.deepEqual([other.status, statusOf(other)], [200, 'pending']);
    });

    test('a challenge that is not offered is not there', async () => {
      const client = await authority.registered();
      const { url } = await authorizationOf(client, `*.${newName()}`);
      for (const type of ['http-01', 'tls-alpn-01', 'nothing']) {
        const challenge = `${url.replace('/authorization/', '/challenge/')}/${type}`;
        assert.equal((await client.post(challenge, {})).status, 404);
      }
    });

    test('8.2: while it is tried again it is processing, with Retry-After; a poll is 200, and its end has the error', async () => {
      const client = await authority.registered();
      const { url, shown } = await authorizationOf(client, newName());
      // There is no such name: DNS may lag, so it is asked for again.
      const challenge = challengeOf(shown, 'http-01').url;
      const answer = await client.post(challenge, {});
      assert.deepEqual([answer.status, statusOf(answer)], [200, 'processing']);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      const poll = await client.post(url, null);
      assert.deepEqual([poll.status, statusOf(poll)], [200, 'pending']);
      assert.ok(Number(poll.headers['retry-after']) >= 1);
      let last = poll;
      for (const until = Date.now() + 20_000; statusOf(last) === 'pending' && Date.now() < until;) {
        await setTimeout(200);
        last = await client.post(url, null);
      }
      assert.equal(statusOf(last), 'invalid');
      assert.equal(typeOf(challengesOf(last)[0]!.error), 'dns');
    });

    test('8.1: the key authorization is of the account: that of another proves nothing', async () => {
      const [client, other] = [await authority.registered(), await authority.registered()];
      const { shown } = await authorizationOf(client, authority.host(newName()));
      const { url, token } = challengeOf(shown, 'http-01');
      authority.byHttp({ token, keyAuthorization: other.keyAuthorization(token) });
      const failed = await client.post(url, {});
      assert.equal(statusOf(failed), 'invalid');
      assert.equal(typeOf(failed.body['error']), 'incorrectResponse');
    });

    test('8.4: dns-01 takes the digest of the key authorization', async () => {
      const client = await authority.registered();
      const name = newName();
      const { url, shown } = await authorizationOf(client, name);
      const challenge = challengeOf(shown, 'dns-01');
      const digest = hash('sha256', client.keyAuthorization(challenge.token), 'base64url');
      authority.dns.txt(`_acme-challenge.${name}`, digest);
      assert.equal(statusOf(await client.post(challenge.url, {})), 'valid');
      assert.equal(statusOf(await client.post(url, null)), 'valid');
    });

    test('an authorization that expired is answered no more', async () => {
      const client = await authority.registered();
      const { url, order, shown } = await authorizationOf(client, authority.host(newName()));
      advance(41 * minutes);
      const { url: challenge, token } = challengeOf(shown, 'http-01');
      authority.byHttp({ token, keyAuthorization: client.keyAuthorization(token) });
      assert.equal(statusOf(await client.post(challenge, {})), 'pending');
      assert.equal(statusOf(await client.post(url, null)), 'invalid');
      assert.equal(statusOf(await client.post(order, null)), 'invalid');
    });

    test('7.1.6: one that expired while its proof was looked for stays invalid, and the proof counts for nothing', async () => {
      const client = await authority.registered();
      const name = newName();
      const { url, shown } = await authorizationOf(client, name);
      const { url: challenge, token } = challengeOf(shown, 'http-01');
      authority.byHttp({ token, keyAuthorization: client.keyAuthorization(token) });
      // The first look finds no such name; the next one, a second later, does.
      const answering = client.post(challenge, {});
      while (!authority.dns.questions.some((question) => question.startsWith(name))) {
        await setTimeout(5);
      }
      advance(41 * minutes);
      authority.host(name);
      const twin = client.twin(authority.trustPem);
      cleanup.after(() => twin.close());
      assert.equal(statusOf(await twin.post(url, null)), 'invalid');
      assert.notEqual(statusOf(await answering), 'valid');
      assert.equal(statusOf(await twin.post(url, null)), 'invalid');
    });
  });

  describe('section 7.5.2, deactivating an authorization:', () => {
    test('is 200 with the authorization as it is then, pending or valid, and again the same', async () => {
      const client = await authority.registered();
      const pending = await authorizationOf(client, newName());
      const { order } = await readyOrder(authority, client, [newName()]);
      for (const url of [pending.url, (order['authorizations'] as string[])[0]!]) {
        for (let n = 0; n < 2; n += 1) {
          const given = await client.post(url, { status: 'deactivated' });
          assert.deepEqual([given.status, statusOf(given)], [200, 'deactivated']);
        }
      }
    });

    test('another status is refused, and nothing changes', async () => {
      const client = await authority.registered();
      const { url } = await authorizationOf(client, newName());
      for (const status of ['valid', 'invalid', 'revoked', undefined]) {
        assert.deepEqual(problemOf(await client.post(url, { status })), [400, 'malformed']);
      }
      assert.equal(statusOf(await client.post(url, null)), 'pending');
    });

    test('is for the account that has it', async () => {
      const [client, other] = [await authority.registered(), await authority.registered()];
      const { url } = await authorizationOf(client, newName());
      assert.deepEqual(problemOf(await other.post(url, { status: 'deactivated' })), [403, 'unauthorized']);
      assert.equal(statusOf(await client.post(url, null)), 'pending');
    });

    test('a deactivated one is sufficient for no certificate, and a later order begins anew', async () => {
      const client = await authority.registered();
      const name = newName();
      const { order, url } = await readyOrder(authority, client, [name]);
      const [authorization] = order['authorizations'] as string[];
      await client.post(authorization!, { status: 'deactivated' });
      const csr = makeCsr({ key: makeKey(), subjectAltName: [{ kind: 'dns', value: name }] });
      assert.deepEqual(problemOf(await client.finalize(order, csr)), [403, 'orderNotReady']);
      assert.equal(statusOf(await client.post(url, null)), 'invalid');
      const next = await client.order([name]);
      assert.equal(statusOf(next), 'pending');
      assert.notEqual((next.body['authorizations'] as string[])[0], authorization);
    });

    test('7.1.6: its challenge stays valid, and is not answered again', async () => {
      const client = await authority.registered();
      const { order } = await readyOrder(authority, client, [newName()]);
      const [url] = order['authorizations'] as string[];
      await client.post(url!, { status: 'deactivated' });
      const [challenge] = challengesOf(await client.post(url!, null));
      assert.equal(challenge!.status, 'valid');
      assert.equal(statusOf(await client.post(challenge!.url, {})), 'valid');
      assert.equal(statusOf(await client.post(url!, null)), 'deactivated');
    });
  });

  describe('RFC 8737', () => {
    test('section 3: the challenge object is of type tls-alpn-01, with a token as above', async () => {
      const client = await authority.registered();
      const { shown } = await authorizationOf(client, newName());
      const { type, token, url, status, ...others } = challengeOf(shown, 'tls-alpn-01');
      assert.deepEqual([type, status, others], ['tls-alpn-01', 'pending', {}]);
      assert.match(token, /^[A-Za-z0-9_-]{22,}$/);
      const answer = await client.post(url, null);
      assert.deepEqual(answer.body, { type, token, url, status });
    });
  });

  describe('RFC 8738', () => {
    const address = { type: 'ip', value: '127.0.0.1' };

    test('section 3: an address has an authorization of type ip, and section 7: without dns-01', async () => {
      const client = await authority.registered({ names: ['127.0.0.1'] });
      const { shown } = await authorizationOf(client, address);
      assert.deepEqual(shown.body['identifier'], address);
      assert.deepEqual(
        challengesOf(shown).map(({ type }) => type),
        ['http-01', 'tls-alpn-01'],
      );
    });

    test('section 3: it is proven, finalized with an iPAddress, and in the certificate as one', async () => {
      const client = await authority.registered({ names: ['127.0.0.1'] });
      const ordered = await client.order([address]);
      await client.prove(ordered.body, 'http-01', authority.byHttp);
      const csr = makeCsr({ key: makeKey(), subjectAltName: [{ kind: 'ip', value: '127.0.0.1' }] });
      const done = await client.finalize(ordered.body, csr);
      assert.equal(statusOf(done), 'valid', done.text);
      assert.deepEqual(leafOf(await client.download(done.body)).subjectAltName, [
        { kind: 'ip', value: '127.0.0.1' },
      ]);
    });

    test('section 3: a value in another form is malformed, and so is an address of type dns', async () => {
      const client = await authority.registered({ names: null, approve: false });
      for (const [type, value] of [
        ['ip', '127.0.0.01'],
        ['ip', '2001:DB8::1'],
        ['ip', '2001:db8:0:0:0:0:0:1'],
        ['ip', '::ffff:127.0.0.1'],
        ['ip', 'host.example.org'],
        ['dns', '127.0.0.1'],
      ] as const) {
        assert.deepEqual(problemOf(await client.order([{ type, value }])), [400, 'malformed'], value);
      }
    });
  });
});
