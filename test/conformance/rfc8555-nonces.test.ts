import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AcmeClient, Wrong } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { problemOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

describe('RFC 8555', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  let client: AcmeClient;
  let order: string;
  before(async () => {
    authority = await acmeAuthority(cleanup);
    client = await authority.registered();
    const ordered = await client.order(['nonces.example.org']);
    order = ordered.headers['location']!;
  });
  const ask = (wrong: Wrong) => client.post(order, null, wrong);
  /** That of no answer before. */
  const fresh = async () =>
    (await client.get(client.directory['newNonce']!, 'HEAD')).headers['replay-nonce']!;

  describe('section 6.5, protection from replay:', () => {
    test('each answer to a POST has a fresh nonce of base64url, errors too', async () => {
      const { newOrder } = client.directory;
      const orderOf = (value: string) => ({ identifiers: [{ type: 'dns', value }] });
      const answers = [
        await ask({ nonce: await fresh() }),
        await ask({ nonce: await fresh(), url: 'x' }),
        await ask({ nonce: await fresh(), contentType: 'text/plain' }),
        await ask({ nonce: await fresh(), body: () => 'x' }),
        await client.post(`${authority.base}/acme/nothing`, null, { nonce: await fresh() }),
        await client.post(newOrder!, orderOf('elsewhere.example.com'), { nonce: await fresh() }),
        await client.post(newOrder!, orderOf('nonce.example.org'), { nonce: await fresh() }),
      ];
      const nonces = answers.map(({ headers }) => headers['replay-nonce'] ?? '');
      for (const nonce of nonces) assert.match(nonce, /^[A-Za-z0-9_-]{22,}$/);
      assert.equal(new Set(nonces).size, nonces.length);
      for (const nonce of nonces) assert.equal((await ask({ nonce })).status, 200);
    });

    test('a used nonce is badNonce, and the answer has one that is taken', async () => {
      const nonce = await client.nonce();
      assert.equal((await ask({ nonce })).status, 200);
      const refused = await ask({ nonce });
      assert.deepEqual(problemOf(refused), [400, 'badNonce']);
      assert.equal((await ask({ nonce: refused.headers['replay-nonce']! })).status, 200);
    });

    test('one that was never given out is badNonce, and so is none', async () => {
      const given = Buffer.from(await client.nonce(), 'base64url');
      given[7]! ^= 1;
      for (const nonce of [given.toString('base64url'), Buffer.from('nonce').toString('base64url'), null]) {
        const refused = await ask({ nonce });
        assert.deepEqual(problemOf(refused), [400, 'badNonce'], String(nonce));
        assert.equal((await ask({ nonce: refused.headers['replay-nonce']! })).status, 200);
      }
    });

    test('6.5.2: one that is no base64url is malformed', async () => {
      for (const nonce of ['a+b/', 'abcd=', 'a b', '']) {
        assert.deepEqual(problemOf(await ask({ nonce })), [400, 'malformed'], nonce);
      }
    });

    test('a fresh nonce is never refused: 100 at once, from any answer, in any order', async () => {
      const nonces = await Promise.all(Array.from({ length: 100 }, fresh));
      assert.equal(new Set(nonces).size, 100);
      for (const nonce of nonces.toReversed()) assert.equal((await ask({ nonce })).status, 200);
    });

    test('nonces are of no account', async () => {
      const other = await authority.registered();
      assert.equal((await ask({ nonce: await other.nonce() })).status, 200);
    });
  });

  describe('section 7.2, getting a nonce:', () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
    ] as const) {
      test(`${method} newNonce is ${status} without a body, with a nonce that no cache keeps`, async () => {
        const answer = await client.get(client.directory['newNonce']!, method);
        assert.deepEqual(
          [answer.status, answer.text, answer.headers['cache-control']],
          [status, '', 'no-store'],
        );
        assert.equal((await ask({ nonce: answer.headers['replay-nonce']! })).status, 200);
      });
    }
  });
});
