import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { suite, test } from 'node:test';
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
  };
}

/** What the world answers is the test's, one call at a time. */
function world(account: { status?: 'valid' | 'revoked'; state?: 'spent' | 'void' } = {}) {
  let time = 0;
  const looking = new Map<string, (outcome: ValidationOutcome) => void>();
  const looks: string[] = [];
  const recorded: { id: string; problem: object | null }[] = [];
  const due: StoredAuthorization[] = [];
  const ports = {
    now: () => time,
    random: (n: number) => new Uint8Array(n),
    report: ({ error }: { error: unknown }) => assert.fail(String(error)),
    authority: () => ({ references: { templates: { web: { acme: { authorizationSeconds: 60 } } } } }),
    validate: ({ id }: { id: string }) => {
      looks.push(id);
      return new Promise<ValidationOutcome>((resolve) => looking.set(id, resolve));
    },
    store: {
      account: (id: string) =>
        Promise.resolve({
          id,
          thumbprint: 't',
          status: account.status ?? 'valid',
          key: { state: account.state ?? 'spent', device: 'd' },
        }),
      validated: ({ id, problem }: { id: string; problem: object | null }) => {
        recorded.push({ id, problem });
        return Promise.resolve({ index: 0 });
      },
      dueAuthorizations: () => Promise.resolve(due.splice(0)),
      takeDue: () => Promise.resolve(true),
    },
  };
  return {
    validations: new Validations(ports as unknown as Ports),
    looks,
    recorded,
    due,
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
