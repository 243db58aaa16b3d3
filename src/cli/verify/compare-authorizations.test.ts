import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Entry } from '#enrollment';
import { AcmeComparison } from './compare-acme.ts';
import {
  answered,
  authorization,
  created,
  findings,
  key,
  made,
  proven,
  restored,
  whole,
  type AuthorizationRecord,
  type Rows,
  type Store,
  storeOf,
} from './compare-acme.fixture.ts';

suite('authorizations in the log and in the store', () => {
  const before = [created, made, proven];
  const one = (change: Partial<AuthorizationRecord>): Rows => ({
    ...whole,
    authorizations: [{ ...authorization, ...change }],
  });

  test('agree where each that is valid was proven, and those that are over are gone', async () => {
    assert.deepEqual(await findings(before, { ...whole, authorizations: [] }), []);
    const deactivated = answered('authorization', {
      authorization: 'z1',
      account: 'a1',
      status: 'deactivated',
    });
    assert.deepEqual(await findings([...before, deactivated], one({ status: 'deactivated' })), []);
    assert.deepEqual(await findings([...before, deactivated]), [
      '0/3: authorization z1 was deactivated, and is valid in the store',
    ]);
  });

  for (const [change, words] of [
    [{ validatedAt: 71 }, 'was validated at another time by the store'],
    [{ account: 'a2' }, 'is of another account in the store'],
    [{ template: 'other' }, 'is of another template in the store'],
    [{ expiresAt: 9_000 }, 'ends at another time in the store'],
    [{ method: 'dns-01' }, 'was validated by another challenge by the store'],
    [{ request: 'R-2' }, 'was validated by another challenge by the store'],
    [{ wildcard: true }, 'is for another identifier in the store'],
    [{ value: 'bank.example.org' }, 'is for another identifier in the store'],
  ] as const) {
    test(`do not where one ${words}: ${Object.keys(change).join()}`, async () => {
      assert.deepEqual(await findings(before, one(change)), [`0/2: authorization z1 ${words}`]);
    });
  }

  test('do not where nobody has seen the proof, or a restore ended it', async () => {
    assert.deepEqual(await findings([created, made]), [
      'the store has 1 valid authorizations, of which the log tells of 0',
    ]);
    const isVoid = { ...whole, keys: [{ ...key, state: 'void' }] } as const;
    assert.deepEqual(await findings([...before, { at: [1, 0], entry: restored }], isVoid), [
      '0/2: authorization z1 was ended by a restore, and is valid in the store',
    ]);
  });

  /** An order that was finalized with this authorization. */
  const finalized = (change: object, more: object = {}): Entry => {
    const proof = {
      id: 'z1',
      type: 'dns',
      value: 'www.example.org',
      wildcard: false,
      status: 'valid',
      method: 'http-01',
      validatedAt: 70,
      expiresAt: 170,
    };
    const order = {
      id: 'o1',
      account: { id: 'a1', status: 'valid' },
      key,
      template: 'web',
      authorizations: [{ ...proof, ...change }],
      finalizedAt: null,
      ...more,
    };
    const observations = { source: { protocol: 'acme', operation: 'finalize' }, order };
    return { type: 'request', outcome: 'issued', time: 80, observations } as unknown as Entry;
  };

  test('are what an order rests on', async () => {
    assert.deepEqual(await findings([...before, finalized({})]), []);
    assert.deepEqual(await findings([...before, finalized({ value: undefined })]), []);
    // What was held was compared when it was.
    assert.deepEqual(await findings([...before, finalized({ id: 'z2' }, { finalizedAt: 75 })]), []);
    for (const change of [
      { value: 'bank.example.org' },
      { wildcard: true },
      { validatedAt: 71 },
      { expiresAt: 9_000 },
    ]) {
      assert.deepEqual(
        await findings([...before, finalized(change)]),
        ['0/3: order o1 rests on authorization z1, which the log tells of otherwise'],
        JSON.stringify(change),
      );
    }
    for (const more of [{ template: 'other' }, { account: { id: 'a2', status: 'valid' } }]) {
      const told = await findings([...before, finalized({}, more)]);
      assert.ok(told.includes('0/3: order o1 rests on authorization z1, which the log tells of otherwise'));
    }
    const words = 'order o1 rests on authorization z1, which no entry tells of';
    assert.deepEqual(await findings([created, made, finalized({}), proven]), [`0/2: ${words}`]);
    const deactivated = answered('authorization', { authorization: 'z1', status: 'deactivated' });
    const over = { ...whole, authorizations: [] };
    assert.deepEqual(await findings([...before, deactivated, finalized({})], over), [`0/4: ${words}`]);
  });

  test('are compared by account and method where the identifier was erased', async () => {
    const { identifier: _, ...left } = (proven as unknown as { detail: Record<string, unknown> }).detail;
    const erased = { entry: { ...proven, detail: left } as Entry, isAbsent: true };
    assert.deepEqual(await findings([created, made, erased]), []);
    assert.deepEqual(await findings([created, made, erased], one({ method: 'dns-01' })), [
      '0/2: authorization z1 was validated by another challenge by the store',
    ]);
  });

  test('are compared while the log is read, and not held until its end', async () => {
    let most = 0;
    const store: Store = {
      ...storeOf(whole),
      authorizations: async (ids) => {
        most = Math.max(most, ids.length);
        return ids.map(() => authorization);
      },
    };
    const comparison = new AcmeComparison(store, 0, () => undefined);
    for (let at = 0; at < 600; at += 1) await comparison.entry({ log: 0, logIndex: at }, proven, false);
    await comparison.end();
    assert.equal(most, 256);
  });
});
