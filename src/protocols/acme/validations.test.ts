import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { suite, test } from 'node:test';
import { SallyportError } from '#errors';
import type { StoredAuthorization } from './store.ts';
import { validationLeaseMilliseconds, type ValidationOutcome, Validations } from './validations.ts';

type Ports = ConstructorParameters<typeof Validations>[0];

const seen: ValidationOutcome = { valid: true, addresses: [] };

function authorizationOf(id: string, account: string): StoredAuthorization {
  return {
    id,
    account,
    template: 'web',
    type: 'dns',
    value: `${id}.example.org`,
    wildcard: false,
    token: 't',
    status: 'pending',
    method: 'http-01',
    request: 'R',
    tries: 0,
    error: null,
    validatedAt: null,
    expiresAt: 1e12,
    evidence: null,
  };
}

/** What the world answers is the test's, one call at a time. */
function world(account: { status?: 'valid' | 'revoked'; state?: 'spent' | 'void' } = {}) {
  let time = 0;
  const looking = new Map<string, (outcome: ValidationOutcome) => void>();
  const looks: string[] = [];
  const recorded: { id: string; problem: object | null }[] = [];
  const due: StoredAuthorization[] = [];
  const stored = new Map<string, StoredAuthorization>();
  let isStoreGone = false;
  const ask = async <Answer>(answer: () => Answer): Promise<Answer> => {
    if (isStoreGone) throw new SallyportError('store', 'the database is not there');
    return answer();
  };
  const ports = {
    now: () => time,
    random: (n: number) => new Uint8Array(n),
    report: ({ error }: { error: unknown }) => assert.ok(isStoreGone, String(error)),
    authority: () => ({ references: { templates: { web: { acme: { authorizationSeconds: 60 } } } } }),
    validate: ({ id }: { id: string }) => {
      looks.push(id);
      return new Promise<ValidationOutcome>((resolve) => looking.set(id, resolve));
    },
    store: {
      account: (id: string) =>
        ask(() => ({
          id,
          thumbprint: 't',
          status: account.status ?? 'valid',
          device: 'd',
          key: { state: account.state ?? 'spent' },
        })),
      authorization: (id: string) => ask(() => stored.get(id) ?? null),
      validated: ({ id, problem }: { id: string; problem: object | null }) =>
        ask(() => {
          recorded.push({ id, problem });
          return { index: 0 };
        }),
      dueAuthorizations: () => ask(() => due.splice(0)),
      takeDue: () => ask(() => true),
    },
  };
  return {
    validations: new Validations(ports as unknown as Ports),
    looks,
    recorded,
    due,
    stored,
    loseStore: () => (isStoreGone = true),
    findStore: () => (isStoreGone = false),
    advance: (milliseconds: number) => (time += milliseconds),
    async answer(id: string, outcome = seen) {
      looking.get(id)!(outcome);
      for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    },
    async settle() {
      for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    },
  };
}

suite('validations', () => {
  test('what was seen before the process stood still is not written down', async () => {
    const { validations, recorded, advance, answer, settle } = world();
    validations.begin(authorizationOf('a', 'x'), validationLeaseMilliseconds);
    await settle();
    advance(validationLeaseMilliseconds);
    await answer('a');
    assert.deepEqual(recorded, []);
  });

  test('of one account sixteen are looked for at once, and another one does not wait for it', async () => {
    const { validations, looks, answer, settle } = world();
    for (let at = 0; at < 40; at += 1) validations.begin(authorizationOf(`a${at}`, 'x'), 1e9);
    validations.begin(authorizationOf('b', 'y'), 1e9);
    await settle();
    assert.equal(looks.length, 17);
    assert.ok(looks.includes('b'));
    await answer('a0');
    assert.equal(looks.length, 18);
    assert.equal(looks.at(-1), 'a16');
  });

  test('what waits longer than its lease is another node’s, and is looked for once', async () => {
    const { validations, looks, recorded, due, advance, answer, settle } = world();
    for (let at = 0; at < 17; at += 1) validations.begin(authorizationOf(`a${at}`, 'x'), 1000);
    // Taken over by this node again, while there is no room.
    due.push(authorizationOf('a16', 'x'));
    assert.equal(await validations.takeOver(), 0);
    validations.begin(authorizationOf('a16', 'x'), 1000);
    await settle();
    advance(1000);
    await answer('a0');
    assert.ok(!looks.includes('a16'));
    assert.deepEqual(
      recorded.map(({ id }) => id),
      ['a0'],
    );
    due.push(authorizationOf('a16', 'x'));
    assert.equal(await validations.takeOver(), 1);
    await settle();
    assert.equal(looks.filter((id) => id === 'a16').length, 1);
  });

  test('what could not be written down is looked for again once the store is there, and not only behind the lease', async () => {
    const { validations, looks, recorded, stored, loseStore, findStore, answer, settle } = world();
    stored.set('a', authorizationOf('a', 'x'));
    validations.begin(authorizationOf('a', 'x'), validationLeaseMilliseconds);
    await settle();
    loseStore();
    await answer('a');
    await assert.rejects(validations.takeOver(), { code: 'store' });
    findStore();
    assert.equal(await validations.takeOver(), 1);
    await settle();
    await answer('a');
    assert.deepEqual(looks, ['a', 'a']);
    assert.deepEqual(recorded, [{ id: 'a', problem: null }]);
    assert.equal(await validations.takeOver(), 0);
  });

  test('an answer that may be written down or not is looked for where it is, and not behind its lease', async () => {
    const { validations, looks, stored, advance, settle } = world();
    stored.set('written', authorizationOf('written', 'x'));
    stored.set('unwritten', { ...authorizationOf('unwritten', 'x'), method: null });
    stored.set('over', { ...authorizationOf('over', 'x'), status: 'valid' });
    for (const id of [...stored.keys(), 'gone']) validations.breakOff(id, 1000);
    assert.equal(await validations.takeOver(), 1);
    await settle();
    assert.deepEqual(looks, ['written']);
    validations.breakOff('late', 1000);
    stored.set('late', authorizationOf('late', 'x'));
    advance(1000);
    assert.equal(await validations.takeOver(), 0);
  });

  test('for an account that ended nobody is connected to', async () => {
    for (const ended of [{ status: 'revoked' }, { state: 'void' }] as const) {
      const { validations, looks, recorded, settle } = world(ended);
      validations.begin(authorizationOf('a', 'x'), 1e9);
      await settle();
      assert.deepEqual(looks, []);
      assert.equal(recorded.length, 1);
      assert.notEqual(recorded[0]!.problem, null);
    }
  });
});
