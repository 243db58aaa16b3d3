import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Entry } from '#enrollment';
import { GrantComparison } from './compare-grants.ts';

type Store = ConstructorParameters<typeof GrantComparison>[0];
type SecretRecord = NonNullable<Awaited<ReturnType<Store['secrets']>>[number]>;

const secret: SecretRecord = {
  id: 'S-1',
  template: 'device',
  state: 'spent',
  certificate: 'c1',
  deviceId: 'd1',
  expected: null,
  createdAt: 50,
  expiresAt: 90,
};

/** That gave certificate `sha256` for the secret, and for an approval of the same time. */
function issued(sha256: string, id = 'R-1'): Entry {
  const approval = { id: 'A-1', createdAt: secret.createdAt };
  return {
    type: 'request',
    outcome: 'issued',
    id,
    observations: { secret: { id: 'S-1', expiresAt: 90, expected: null }, approval },
    certificate: { sha256, template: 'device', deviceId: 'd1' },
  } as unknown as Entry;
}

const begun = { type: 'authority', event: 'restored', time: 60, detail: {} } as unknown as Entry;
const created = {
  type: 'act',
  act: 'secret.create',
  time: 50,
  detail: { secret: 'S-1', device: 'd1', template: 'device', expected: null, expiresAt: 90 },
} as unknown as Entry;

async function findings(
  entries: readonly (readonly [log: number, index: number, entry: Entry, approvalNeeded?: boolean])[],
  rows: { readonly secrets?: number; readonly used?: string } = {},
): Promise<readonly string[]> {
  const { secrets = 1, used = 'R-1' } = rows;
  const store: Store = {
    secrets: async (ids) => ids.map((id) => (id === 'S-1' && secrets > 0 ? secret : null)),
    secretCount: async () => secrets,
    approvals: async (ids) => ids.map((id) => ({ id, state: 'used', intentId: used })),
  };
  const found: string[] = [];
  const comparison = new GrantComparison(store, (position, message) =>
    found.push(position === null ? message : `${position.log}/${position.logIndex}: ${message}`),
  );
  for (const [log, logIndex, entry, approvalNeeded = false] of entries) {
    await comparison.entry({ log, logIndex }, entry, approvalNeeded);
  }
  await comparison.end();
  return found;
}

suite('secrets and approvals in the log and in the store', () => {
  test('agree where each gave one certificate', async () => {
    assert.deepEqual(
      await findings([
        [0, 1, created],
        [0, 2, issued('c1'), true],
      ]),
      [],
    );
  });

  test('do not where a secret gave two', async () => {
    assert.deepEqual(
      await findings([
        [0, 1, created],
        [0, 2, issued('c1')],
        [0, 3, issued('c2')],
      ]),
      ['0/3: secret S-1 gave a certificate, and another one by the store'],
    );
  });

  test('do not where an approval gave two; one that was not needed is left open', async () => {
    const entries = (needed: boolean) =>
      [
        [0, 1, created],
        [0, 2, issued('c1'), true],
        [0, 3, issued('c1', 'R-2'), needed],
      ] as const;
    assert.deepEqual(await findings(entries(false)), []);
    assert.deepEqual(await findings(entries(true)), [
      '0/3: approval A-1 gave a certificate, and another one by the store',
    ]);
  });

  test('do not where what a restore voided gave one afterwards', async () => {
    assert.deepEqual(
      await findings([
        [0, 1, created],
        [1, 0, begun],
        [1, 1, issued('c1'), true],
      ]),
      [
        '1/1: secret S-1 gave a certificate, and the restore before had voided it',
        '1/1: approval A-1 gave a certificate, and the restore before had voided it',
      ],
    );
  });

  test('do not where a secret is gone, or was put in', async () => {
    assert.deepEqual(await findings([[0, 1, created]], { secrets: 0 }), [
      '0/1: secret S-1 is not in the store',
    ]);
    assert.deepEqual(await findings([[0, 1, created]], { secrets: 2 }), [
      'the store has 2 secrets, of which the log tells of 1',
    ]);
  });

  test('are compared while the log is read, and not held until its end', async () => {
    const many = Array.from({ length: 600 }, (_, at) => [0, at, created] as const);
    let most = 0;
    const store: Store = {
      secrets: async (ids) => {
        most = Math.max(most, ids.length);
        return ids.map(() => secret);
      },
      secretCount: async () => 1,
      approvals: async () => [],
    };
    const comparison = new GrantComparison(store, () => assert.fail());
    for (const [log, logIndex, entry] of many) await comparison.entry({ log, logIndex }, entry, false);
    await comparison.end();
    assert.equal(most, 256);
  });
});
