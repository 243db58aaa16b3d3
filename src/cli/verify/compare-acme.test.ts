import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import { type Entry, sha256Hex } from '#enrollment';
import { parseJwk, thumbprint } from '#jose';
import { AcmeComparison } from './compare-acme.ts';

type Store = ConstructorParameters<typeof AcmeComparison>[0];
type KeyRecord = NonNullable<Awaited<ReturnType<Store['externalAccountKeys']>>[number]>;
type AccountRecord = NonNullable<Awaited<ReturnType<Store['accounts']>>[number]>;
type AuthorizationRecord = NonNullable<Awaited<ReturnType<Store['authorizations']>>[number]>;

const [firstKey, secondKey] = [accountKey(), accountKey()];

const key: KeyRecord = {
  id: 'K-1',
  deviceId: 'd1',
  deviceState: 'active',
  templates: ['web'],
  names: ['.example.org'],
  maximumCertificates: 2,
  approvedBy: 'ada',
  state: 'spent',
  createdAt: 50,
  expiresAt: 90,
  by: 'ada',
};
const account: AccountRecord = { id: 'a1', externalAccountKey: 'K-1', status: 'valid', ...firstKey };
const authorization: AuthorizationRecord = {
  id: 'z1',
  account: 'a1',
  template: 'web',
  type: 'dns',
  value: 'www.example.org',
  status: 'valid',
  method: 'http-01',
  request: 'R-1',
  wildcard: false,
  validatedAt: 70,
  expiresAt: 170,
};

const created = act('eab.create', {
  externalAccountKey: 'K-1',
  device: 'd1',
  templates: ['web'],
  names: ['.example.org'],
  maximumCertificates: 2,
  approve: true,
  expiresAt: 90,
});
const made = answered('new-account', {
  account: 'a1',
  externalAccountKey: 'K-1',
  device: 'd1',
  thumbprint: firstKey.thumbprint,
});
const changed = answered('key-change', {
  account: 'a1',
  oldThumbprint: firstKey.thumbprint,
  thumbprint: secondKey.thumbprint,
});
const proven = {
  type: 'authority',
  event: 'authorization.valid',
  time: 70,
  detail: {
    authorization: 'z1',
    account: 'a1',
    identifier: { type: 'dns', value: 'www.example.org' },
    template: 'web',
    wildcard: false,
    method: 'http-01',
    request: 'R-1',
    expiresAt: 170,
  },
} as unknown as Entry;
const restored = { type: 'authority', event: 'restored', time: 60, detail: {} } as unknown as Entry;

function act(name: string, detail: object): Entry {
  return { type: 'act', act: name, time: 50, operator: 'ada', detail } as unknown as Entry;
}

function answered(operation: string, detail: object): Entry {
  const observations = { source: { protocol: 'acme', operation } };
  return { type: 'request', outcome: 'answered', time: 60, observations, detail } as unknown as Entry;
}

function issued(by: Partial<KeyRecord> = {}): Entry {
  const order = { account: { id: 'a1', status: 'valid' }, key: { ...key, ...by } };
  const observations = { source: { protocol: 'acme', operation: 'finalize' }, order };
  return { type: 'request', outcome: 'issued', time: 80, observations } as unknown as Entry;
}

function accountKey() {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = parseJwk(publicKey.export({ format: 'jwk' }));
  return { jwk: jwk.canonical, thumbprint: thumbprint(jwk), spki: sha256Hex(jwk.spki) };
}

interface Rows {
  readonly keys?: readonly KeyRecord[];
  readonly accounts?: readonly AccountRecord[];
  readonly authorizations?: readonly AuthorizationRecord[];
  readonly live?: string;
}

interface Told {
  readonly at?: readonly [log: number, index: number];
  readonly entry: Entry;
  readonly isAbsent?: boolean;
}

const whole: Rows = { keys: [key], accounts: [account], authorizations: [authorization] };

function storeOf({ keys = [], accounts = [], authorizations = [], live }: Rows): Store {
  const found = <Row extends { readonly id: string }>(rows: readonly Row[], ids: readonly string[]) =>
    ids.map((id) => rows.find((row) => row.id === id) ?? null);
  return {
    externalAccountKeys: async (ids) => found(keys, ids),
    liveExternalAccountKeyBy: async (name) => (name === 'machine:ci' ? (live ?? null) : null),
    accounts: async (ids) => found(accounts, ids),
    authorizations: async (ids) => found(authorizations, ids),
    acmeCounts: async () => ({
      externalAccountKeys: keys.length,
      accounts: accounts.length,
      validAuthorizations: authorizations.filter(({ status }) => status === 'valid').length,
    }),
  };
}

async function findings(told: readonly (Entry | Told)[], rows: Rows = whole): Promise<readonly string[]> {
  const all = told.map((each, index): Told & Pick<Required<Told>, 'at'> => ({
    at: [0, index],
    ...('entry' in each ? each : { entry: each }),
  }));
  const found: string[] = [];
  const comparison = new AcmeComparison(storeOf(rows), all.at(-1)!.at[0], (position, message) =>
    found.push(position === null ? message : `${position.log}/${position.logIndex}: ${message}`),
  );
  for (const {
    at: [log, logIndex],
    entry,
    isAbsent = false,
  } of all) {
    await comparison.entry({ log, logIndex }, entry, isAbsent);
  }
  await comparison.end();
  return found;
}

suite('external account keys in the log and in the store', () => {
  test('agree where each is what its act gave, spent, void or live', async () => {
    assert.deepEqual(await findings([created, made, proven, issued()]), []);
    const voided = act('eab.void', { externalAccountKey: 'K-1' });
    assert.deepEqual(
      await findings([created, made, proven, voided], { ...whole, keys: [{ ...key, state: 'void' }] }),
      [],
    );
    assert.deepEqual(await findings([created], { keys: [{ ...key, state: 'live' }] }), []);
  });

  for (const [change, words] of [
    [{ createdAt: 51 }, 'has another lifetime in the store'],
    [{ expiresAt: 91 }, 'has another lifetime in the store'],
    [{ by: 'machine:ci' }, 'was made by another by the store'],
    [{ templates: ['web', 'other'] }, 'is for other templates in the store'],
    [{ maximumCertificates: null }, 'is for another number of certificates in the store'],
    [{ approvedBy: null }, 'has another approval in the store'],
    [{ deviceId: 'd2' }, 'is for another device in the store'],
    [{ names: null }, 'is for other names in the store'],
    [{ deviceState: 'retired' }, 'is of a retired device, and is spent in the store'],
  ] as const) {
    test(`do not where one ${words}: ${Object.keys(change).join()}`, async () => {
      assert.deepEqual(await findings([created], { keys: [{ ...key, ...change }] }), [
        `0/0: external account key K-1 ${words}`,
      ]);
    });
  }

  test('do not where one has an approval that nobody gave', async () => {
    const detail = { ...(created as { detail: object }).detail, approve: false };
    assert.deepEqual(await findings([act('eab.create', detail)], { keys: [key] }), [
      '0/0: external account key K-1 has another approval in the store',
    ]);
  });

  test('do not where one is live or spent that was not', async () => {
    const live = { keys: [{ ...key, state: 'live' }], accounts: [account] } as const;
    assert.deepEqual(await findings([created, made], live), [
      '0/1: external account key K-1 was spent, and is live in the store',
    ]);
    assert.deepEqual(
      await findings([created, act('eab.void', { externalAccountKey: 'K-1' })], { keys: [key] }),
      ['0/1: external account key K-1 was made void, and is spent in the store'],
    );
    const revoked = act('machine.revoke', { machine: 'ci' });
    assert.deepEqual(await findings([revoked], { live: 'K-7' }), [
      '0/0: machine ci was revoked, and its external account key K-7 is live in the store',
    ]);
    assert.deepEqual(await findings([created, { at: [1, 0], entry: restored }], { keys: [key] }), [
      '0/0: external account key K-1 was made void by a restore, and is spent in the store',
    ]);
  });

  test('do not where one is gone, or was put in', async () => {
    assert.deepEqual(await findings([created], {}), ['0/0: external account key K-1 is not in the store']);
    assert.deepEqual(await findings([created], { keys: [key, { ...key, id: 'K-2' }] }), [
      'the store has 2 external account keys, of which the log tells of 1',
    ]);
  });

  test('without personal fields are gone, or a finding, and their bounds are compared all the same', async () => {
    const {
      names: _names,
      device: _device,
      ...left
    } = (created as unknown as { detail: Record<string, unknown> }).detail;
    const erased = { entry: act('eab.create', left), isAbsent: true };
    assert.deepEqual(await findings([erased], {}), []);
    assert.deepEqual(await findings([erased], { keys: [key] }), [
      '0/0: external account key K-1 is in the store, and the personal fields of its entry are not',
    ]);
    assert.deepEqual(await findings([erased], { keys: [{ ...key, maximumCertificates: 9 }] }), [
      '0/0: external account key K-1 is for another number of certificates in the store',
    ]);
  });

  test('do not where a certificate was given for what was not theirs to give', async () => {
    const voided = act('eab.void', { externalAccountKey: 'K-1' });
    const isVoid = { ...whole, keys: [{ ...key, state: 'void' }] } as const;
    assert.deepEqual(await findings([created, made, proven, voided, issued()], isVoid), [
      '0/4: external account key K-1 gave a certificate, and had been made void',
    ]);
    assert.deepEqual(await findings([created, made, proven, issued({ names: null })]), [
      '0/3: external account key K-1 gave a certificate, and is for other names in the store',
    ]);
    assert.deepEqual(await findings([created, made, proven, issued({ templates: ['web', 'other'] })]), [
      '0/3: external account key K-1 gave a certificate, and is for other templates in the store',
    ]);
    const over = { ...isVoid, authorizations: [] };
    assert.deepEqual(
      await findings([created, made, { at: [1, 0], entry: restored }, { at: [1, 1], entry: issued() }], over),
      ['1/1: external account key K-1 gave a certificate, and the restore before had made it void'],
    );
  });
});

suite('accounts in the log and in the store', () => {
  const one = (change: Partial<AccountRecord>): Rows => ({ ...whole, accounts: [{ ...account, ...change }] });
  const before = [created, proven, made];

  test('agree where each has the key that it was made with, or that it was changed to', async () => {
    assert.deepEqual(await findings([...before, changed], one(secondKey)), []);
    const back = answered('key-change', { account: 'a1', thumbprint: firstKey.thumbprint });
    assert.deepEqual(await findings([...before, changed, back]), []);
  });

  for (const [what, change, words] of [
    ['another key', secondKey, 'has another key in the store than it was made with'],
    [
      'the bytes of another key',
      { jwk: secondKey.jwk },
      'has a key in the store that is not of its thumbprint',
    ],
    [
      'no key',
      { jwk: '{}' },
      'has a key in the store that is none: JWK: kty is none of EC, RSA, OKP and AKP',
    ],
    [
      'the digest of another key',
      { spki: secondKey.spki },
      'has a digest in the store that is not of its key',
    ],
    [
      'another external account key',
      { externalAccountKey: 'K-2' },
      'is of another external account key in the store',
    ],
  ] as const) {
    test(`do not where one has ${what}`, async () => {
      assert.deepEqual(await findings(before, one(change)), [`0/2: account a1 ${words}`]);
    });
  }

  test('do not where one has the key that was changed', async () => {
    assert.deepEqual(await findings([...before, changed]), [
      '0/3: account a1 has another key in the store than it was changed to',
    ]);
  });

  test('do not where one that ended is valid, or was issued a certificate', async () => {
    const deactivated = answered('account', { account: 'a1', status: 'deactivated' });
    const revoked = act('account.revoke', { account: 'a1' });
    for (const [end, how] of [
      [deactivated, 'deactivated'],
      [revoked, 'revoked'],
    ] as const) {
      assert.deepEqual(await findings([...before, end]), [
        `0/3: account a1 was ${how}, and is valid in the store`,
      ]);
      assert.deepEqual(await findings([...before, end, issued()], one({ status: how })), [
        `0/4: account a1 had been ${how}, and was issued a certificate`,
      ]);
    }
    // Of contact addresses, it ends nothing.
    assert.deepEqual(
      await findings([...before, answered('account', { account: 'a1', status: 'valid' })]),
      [],
    );
  });

  test('do not where one was issued a certificate by what another key gives', async () => {
    const rich = { ...key, id: 'K-2' };
    const given = act('eab.create', { ...(created as { detail: object }).detail, externalAccountKey: 'K-2' });
    const rows = { ...whole, keys: [key, rich] };
    assert.deepEqual(await findings([...before, given, issued({ id: 'K-2' })], rows), [
      '0/4: account a1 was issued a certificate by another external account key than it has in the store',
    ]);
  });

  test('do not where one is gone with no erasure, is there after one, or was put in', async () => {
    assert.deepEqual(await findings(before, { ...whole, accounts: [] }), [
      '0/2: account a1 is not in the store',
    ]);
    const erased = [created, proven, { entry: made, isAbsent: true }];
    assert.deepEqual(await findings(erased, { ...whole, accounts: [] }), []);
    assert.deepEqual(await findings(erased), [
      '0/2: account a1 is in the store, and the personal fields of its entry are not',
    ]);
    const more = { ...whole, accounts: [account, { ...account, ...secondKey, id: 'a2' }] };
    assert.deepEqual(await findings(before, more), ['the store has 2 accounts, of which the log tells of 1']);
  });
});

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
