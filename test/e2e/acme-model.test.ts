import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type AcmeAnswer, type AcmeClient, type Json, orderCsr } from '../harness/acme-client.ts';
import { type AcmeTestAuthority, acmeAuthority } from '../harness/acme-authority.ts';
import { encodedLeaf, namesOf, problemOf, statusOf } from '../harness/acme-answers.ts';
import { suiteCleanup } from '../harness/cleanup.ts';

const minutes = 60_000;
const orderLifetime = 40 * minutes;
const authorizationLifetime = 20 * minutes;
/** A proof that ends sooner is not used for another order. */
const reuseMargin = 1 * minutes;
/** No sum of these comes near a lifetime, so that what a sequence takes in real time does not matter. */
const step = 6 * minutes;

/** RFC 8555 section 7.1.6: what may be seen after what, with states between that nobody saw. */
const transitions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  challenge: {
    pending: ['processing', 'valid', 'invalid'],
    processing: ['valid', 'invalid'],
  },
  authorization: {
    pending: ['valid', 'invalid', 'deactivated', 'expired', 'revoked'],
    valid: ['deactivated', 'expired', 'revoked'],
  },
  order: {
    pending: ['ready', 'processing', 'valid', 'invalid'],
    ready: ['processing', 'valid', 'invalid'],
    processing: ['valid', 'invalid'],
  },
};

interface Account {
  client: AcmeClient;
  readonly device: string;
  valid: boolean;
  certificates: number;
}

interface Authorization {
  readonly url: string;
  readonly account: Account;
  /** With the `*.` of a wildcard. */
  readonly name: string;
  status: 'pending' | 'valid' | 'invalid' | 'deactivated';
  expiresAt: number;
}

interface Order {
  readonly url: string;
  readonly account: Account;
  readonly names: readonly string[];
  readonly authorizations: readonly Authorization[];
  readonly body: Json;
  readonly expiresAt: number;
  pem: string | null;
  revoked: boolean;
}

/** Bits of the names that are ordered: often the same ones, so that proofs are used again. */
const someNames = fc.constantFrom(1, 1, 2, 3, 3, 8, 9, 15);
const one = fc.nat(99);

/** What a client does. The numbers choose among what is there. */
const action = fc.oneof(
  { weight: 1, arbitrary: fc.record({ act: fc.constant('register' as const) }) },
  { weight: 5, arbitrary: fc.record({ act: fc.constant('order' as const), who: one, names: someNames }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('prove all' as const), order: one }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom('prove', 'prove', 'fail', 'give back'),
      order: one,
      which: one,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('finalize' as const),
      order: one,
      request: fc.constantFrom('right', 'right', 'right', 'more', 'less', 'other'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('wait' as const), steps: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('revoke' as const), who: one, order: one }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('leave' as const), who: one }) },
);

type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

describe('ACME, whatever its clients do in whatever order', () => {
  const cleanup = suiteCleanup();
  let authority: AcmeTestAuthority;
  before(async () => {
    authority = await acmeAuthority(cleanup, (yaml) =>
      yaml.replaceAll('networks:', 'orderLifetime: 40m\n      authorizationLifetime: 20m\n      networks:'),
    );
  });
  let ahead = 0;
  let sequences = 0;

  test('makes the transitions of RFC 8555 section 7.1.6 alone, and certificates of what was proven and ordered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 15, maxLength: 40 }), async (actions) => {
        const sequence = new Sequence();
        await sequence.register();
        await sequence.register();
        for (const each of actions) await sequence.perform(each);
        await sequence.settle();
      }),
      { numRuns: 40, plugins: [fc.interruptAfterTimeLimit(12_000)] },
    );
    assert.deepEqual(authority.faults, []);
  });

  /** One sequence of acts, with accounts and names of its own: the model, and the authority beside it. */
  class Sequence {
    readonly #accounts: Account[] = [];
    readonly #authorizations: Authorization[] = [];
    readonly #orders: Order[] = [];
    readonly #seen = new Map<string, string>();
    readonly #names: readonly string[];

    constructor() {
      const suffix = `m${(sequences += 1)}.example.org`;
      this.#names = [`a.${suffix}`, `b.${suffix}`, `c.${suffix}`, `*.a.${suffix}`];
    }

    async perform(each: Action): Promise<void> {
      if (each.act === 'register') return this.register();
      if (each.act === 'wait') return this.#wait(each.steps * step);
      if (each.act === 'order') {
        const names = this.#names.filter((_, bit) => ((each.names >> bit) & 1) === 1);
        return this.#order(this.#account(each.who), names);
      }
      if (each.act === 'leave') return this.#leave(this.#account(each.who));
      const order = this.#chosen(each.order, each.act);
      if (order === undefined) return;
      if (each.act === 'revoke') await this.#revoke(order, this.#account(each.who));
      else if (each.act === 'finalize') await this.#finalize(order, each.request);
      else if (each.act === 'prove all') {
        for (const authorization of order.authorizations) await this.#answer(authorization, true);
      } else {
        const authorization = order.authorizations[each.which % order.authorizations.length]!;
        if (each.act === 'give back') await this.#giveBack(authorization);
        else await this.#answer(authorization, each.act === 'prove');
      }
      await this.#look(order);
    }

    async register(): Promise<void> {
      if (this.#accounts.length === 3) return;
      const client = await authority.registered();
      this.#accounts.push({ client, device: authority.ownerOf.get(client)!, valid: true, certificates: 0 });
    }

    /** Everything is as the model has it, and nobody has a certificate that it does not know. */
    async settle(): Promise<void> {
      for (const order of this.#orders) await this.#look(order);
      for (const { client, device, certificates } of this.#accounts) {
        client.close();
        const { items } = await authority.admin.client.perform('listCertificates', { device });
        assert.equal(items.length, certificates);
      }
    }

    /** Mostly one of which something can be expected, and now and then any. */
    #chosen(
      number: number,
      act: 'prove all' | 'prove' | 'fail' | 'give back' | 'finalize' | 'revoke',
    ): Order | undefined {
      const wanted = act === 'finalize' ? 'ready' : act === 'revoke' ? 'valid' : 'pending';
      const fitting = this.#orders.filter((order) => statusOfOrder(order) === wanted);
      const among = fitting.length > 0 && number % 4 > 0 ? fitting : this.#orders;
      return among[number % among.length];
    }

    #account(who: number): Account {
      return this.#accounts[who % this.#accounts.length]!;
    }

    #wait(milliseconds: number): void {
      authority.advance(milliseconds);
      ahead += milliseconds;
      // Nonces are good for an hour.
      for (const account of this.#accounts) {
        const twin = account.client.twin(authority.trustPem);
        account.client.close();
        account.client = twin;
      }
    }

    async #order(account: Account, names: readonly string[]): Promise<void> {
      const made = await account.client.order(names);
      if (!account.valid) return assert.deepEqual(problemOf(made), [401, 'unauthorized']);
      assert.equal(made.status, 201, made.text);
      const urls = made.body['authorizations'] as string[];
      assert.equal(urls.length, names.length);
      const expiresAt = now() + orderLifetime;
      const authorizations = names.map((name, at) =>
        this.#authorizationFor(account, name, urls[at]!, expiresAt),
      );
      const url = made.headers['location']!;
      const order = {
        url,
        account,
        names,
        authorizations,
        body: made.body,
        expiresAt,
        pem: null,
        revoked: false,
      };
      this.#orders.push(order);
      await this.#look(order);
    }

    /** The one that counts longest, or a new one. */
    #authorizationFor(account: Account, name: string, url: string, expiresAt: number): Authorization {
      const [proven] = this.#authorizations
        .filter((each) => each.account === account && each.name === name)
        .filter((each) => each.status === 'valid' && each.expiresAt > now() + reuseMargin)
        .toSorted((one, other) => other.expiresAt - one.expiresAt);
      const known = this.#authorizations.find((each) => each.url === url);
      assert.equal(known?.url, proven?.url);
      if (proven !== undefined) return proven;
      const made: Authorization = { url, account, name, status: 'pending', expiresAt };
      this.#authorizations.push(made);
      return made;
    }

    async #answer(authorization: Authorization, right: boolean): Promise<void> {
      const { account, name, url } = authorization;
      const { client } = account;
      const shown = await client.post(url, null);
      if (!account.valid) return assert.deepEqual(problemOf(shown), [401, 'unauthorized']);
      const type = name.startsWith('*.') ? 'dns-01' : 'http-01';
      const offered = shown.body['challenges'] as { type: string; url: string; token: string }[];
      const challenge = offered.find((each) => each.type === type);
      // Of what is over it shows the challenge that was answered alone.
      assert.ok(challenge !== undefined);
      const keyAuthorization = client.keyAuthorization(challenge.token);
      if (type === 'dns-01') {
        // Another text could be one of before, and is looked at again for seconds; more than can be read are refused at once.
        const wrong = Array.from({ length: 65 }, (_, at) => `text ${at}`);
        const texts = right ? [hash('sha256', keyAuthorization, 'base64url')] : wrong;
        authority.dns.txt(`_acme-challenge.${name.slice(2)}`, ...texts);
      } else {
        authority.host(name);
        authority.proofs.set(challenge.token, right ? keyAuthorization : 'wrong');
      }
      const answer = await client.post(challenge.url, {});
      assert.equal(answer.status, 200, answer.text);
      if (statusOfAuthorization(authorization) !== 'pending') return;
      assert.equal(statusOf(answer), right ? 'valid' : 'invalid', answer.text);
      authorization.status = right ? 'valid' : 'invalid';
      if (right) authorization.expiresAt = now() + authorizationLifetime;
    }

    async #giveBack(authorization: Authorization): Promise<void> {
      const { account, url } = authorization;
      const given = await account.client.post(url, { status: 'deactivated' });
      if (!account.valid) return assert.deepEqual(problemOf(given), [401, 'unauthorized']);
      assert.equal(given.status, 200, given.text);
      const status = statusOfAuthorization(authorization);
      if (status === 'pending' || status === 'valid') authorization.status = 'deactivated';
    }

    async #finalize(order: Order, request: 'right' | 'more' | 'less' | 'other'): Promise<void> {
      const { account, names, body } = order;
      const before = statusOfOrder(order);
      const more = [...names, 'more.example.org'];
      const asked = { right: names, more, less: names.slice(1), other: more.slice(1) }[request];
      const done = await account.client.finalize(
        body,
        orderCsr(asked.length === 0 ? ['other.example.org'] : asked),
      );
      if (!account.valid) return assert.deepEqual(problemOf(done), [401, 'unauthorized']);
      // A lost answer is asked for again.
      if (before === 'valid') return assert.deepEqual([done.status, statusOf(done)], [200, 'valid']);
      if (before !== 'ready') return assert.deepEqual(problemOf(done), [403, 'orderNotReady']);
      if (request !== 'right') return assert.deepEqual(problemOf(done), [400, 'badCSR'], done.text);
      assert.deepEqual([done.status, statusOf(done)], [200, 'valid'], done.text);
      for (const authorization of order.authorizations) {
        assert.equal(statusOfAuthorization(authorization), 'valid', 'issued without an authorization');
      }
      order.pem = await account.client.download(done.body);
      account.certificates += 1;
      assert.deepEqual(namesOf(order.pem), names.toSorted());
    }

    async #revoke(order: Order, account: Account): Promise<void> {
      if (order.pem === null) return;
      const { client } = account;
      const answer = await client.post(client.directory['revokeCert']!, {
        certificate: encodedLeaf(order.pem),
      });
      if (!account.valid) return assert.deepEqual(problemOf(answer), [401, 'unauthorized']);
      const holds = (name: string) =>
        this.#authorizations.some(
          (each) => each.account === account && each.name === name && statusOfAuthorization(each) === 'valid',
        );
      if (order.account !== account && !order.names.every(holds)) {
        return assert.deepEqual(problemOf(answer), [403, 'unauthorized'], answer.text);
      }
      if (order.revoked) return assert.deepEqual(problemOf(answer), [400, 'alreadyRevoked']);
      assert.equal(answer.status, 200, answer.text);
      order.revoked = true;
    }

    async #leave(account: Account): Promise<void> {
      // Somebody stays.
      if (this.#accounts.filter(({ valid }) => valid).length === 1) return;
      const over = await account.client.post(account.client.kid!, { status: 'deactivated' });
      if (!account.valid) return assert.deepEqual(problemOf(over), [401, 'unauthorized']);
      assert.equal(statusOf(over), 'deactivated', over.text);
      account.valid = false;
    }

    /** As the model has it, and as what was seen before can have become. */
    async #look(order: Order): Promise<void> {
      const { client, valid } = order.account;
      const shown = await client.post(order.url, null);
      if (!valid) return assert.deepEqual(problemOf(shown), [401, 'unauthorized']);
      this.#became('order', order.url, shown);
      assert.equal(statusOf(shown), statusOfOrder(order), shown.text);
      assert.deepEqual(
        (shown.body['identifiers'] as { value: string }[]).map(({ value }) => value),
        order.names,
      );
      assert.deepEqual(
        shown.body['authorizations'],
        order.authorizations.map(({ url }) => url),
      );
      for (const authorization of order.authorizations) {
        const one = await client.post(authorization.url, null);
        this.#became('authorization', authorization.url, one);
        assert.equal(statusOf(one), statusOfAuthorization(authorization), one.text);
        for (const challenge of one.body['challenges'] as Json[]) {
          this.#became('challenge', challenge['url'] as string, { body: challenge });
        }
      }
    }

    #became(kind: string, url: string, shown: Pick<AcmeAnswer, 'body'>): void {
      const status = String(statusOf(shown));
      const before = this.#seen.get(url);
      const known = before === undefined || before === status || transitions[kind]![before]?.includes(status);
      assert.ok(known, `a ${kind} that was ${before} is ${status}`);
      this.#seen.set(url, status);
    }
  }

  function now(): number {
    return Date.now() + ahead;
  }

  function statusOfAuthorization({ status, expiresAt }: Authorization): string {
    if (now() < expiresAt || status === 'invalid' || status === 'deactivated') return status;
    return status === 'valid' ? 'expired' : 'invalid';
  }

  function statusOfOrder({ pem, expiresAt, authorizations }: Order): string {
    if (pem !== null) return 'valid';
    const statuses = authorizations.map(statusOfAuthorization);
    const isOver =
      now() >= expiresAt || statuses.some((status) => status !== 'pending' && status !== 'valid');
    if (isOver) return 'invalid';
    return statuses.every((status) => status === 'valid') ? 'ready' : 'pending';
  }
});
