import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  account,
  act,
  answered,
  changed,
  created,
  findings,
  firstKey,
  issued,
  key,
  made,
  proven,
  restored,
  secondKey,
  whole,
  type AccountRecord,
  type Rows,
} from './compare-acme.fixture.ts';

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
