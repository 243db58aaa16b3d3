import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
  createAccount,
  createExternalAccountKey,
  createOrder,
  device,
  digest,
  entry,
  hour,
  importDevices,
  intent,
  newExternalAccountKey,
  now,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';
import { endAcme } from './end-acme.ts';

const isConflict = (error: unknown) => isSallyportError(error, 'conflict');
const isNotFound = (error: unknown) => isSallyportError(error, 'not-found');
const bounds = {
  templates: ['web', 'site'],
  names: ['www.example.org', '.example.net'],
  maximumCertificates: 3,
  approvedBy: 'ada',
};

const voidKey = ({ admin }: Pick<Stores, 'admin'>, id: string) =>
  admin.voidExternalAccountKey({ id, entry: entry(`void ${id}`) });

async function statesOf({ admin }: Pick<Stores, 'admin'>): Promise<string[]> {
  return (await admin.externalAccountKeys({ limit: 99 })).map(({ id, state }) => `${id} ${state}`);
}

suite('creating an external account key', () => {
  test('keeps it live with its bounds, and the MAC key for ACME alone', async (t) => {
    const { admin, acme, log } = openStores(t);
    await importDevices(admin, device('d1'));
    const key = newExternalAccountKey('k1', 'd1', bounds);
    assert.deepEqual(await admin.createExternalAccountKey({ key, entry: entry('create') }), { index: 1 });
    const { sealed, ...shown } = key;
    const stored = { ...shown, state: 'live', account: null };
    assert.deepEqual(await admin.externalAccountKeys({ limit: 9 }), [stored]);
    assert.deepEqual(await admin.externalAccountKey('k1'), stored);
    assert.equal(await admin.externalAccountKey('k9'), null);
    assert.deepEqual(Buffer.from((await acme.externalAccountKey('k1'))!.sealed), Buffer.from(sealed));
    assert.deepEqual(await verifiedIds(log), ['import', 'create']);
  });

  test('is refused for a device that is unknown or retired, and an id that is taken', async (t) => {
    const { admin, log } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    const create = (id: string, deviceId: string) =>
      createExternalAccountKey(admin, newExternalAccountKey(id, deviceId));
    await assert.rejects(create('k1', 'nobody'), isNotFound);
    await create('k1', 'd1');
    await assert.rejects(create('k1', 'd2'), isConflict);
    await admin.setDeviceState({ id: 'd2', state: 'retired', now, entry: entry('retire') });
    await assert.rejects(create('k2', 'd2'), isConflict);
    assert.deepEqual(await verifiedIds(log), ['import', 'create k1', 'retire']);
  });
});

suite('listing external account keys', () => {
  test('goes by age in pages, by device, state and the machine that made them', async (t) => {
    const stores = openStores(t);
    const { admin, acme } = stores;
    await importDevices(admin, device('d1'), device('d2'));
    const mdm = { by: 'machine:mdm' };
    for (const [id, of, changes] of [
      ['c', 'd1', { createdAt: now - 2, ...mdm }],
      ['b', 'd2', { createdAt: now - 1, ...mdm }],
      ['d', 'd1', { createdAt: now - 1 }],
      ['a', 'd1', { createdAt: now, ...mdm }],
    ] as const) {
      await createExternalAccountKey(admin, newExternalAccountKey(id, of, changes));
    }
    await createAccount(acme, 'a1', 'c');
    await voidKey(stores, 'd');
    const ids = async (filter: Parameters<typeof admin.externalAccountKeys>[0]) =>
      (await admin.externalAccountKeys(filter)).map(({ id }) => id);
    assert.deepEqual(await ids({ limit: 2 }), ['c', 'b']);
    assert.deepEqual(await ids({ limit: 2, after: 'b' }), ['d', 'a']);
    assert.deepEqual(await ids({ limit: 9, after: 'a' }), []);
    assert.deepEqual(await ids({ limit: 9, deviceId: 'd1' }), ['c', 'd', 'a']);
    assert.deepEqual(await ids({ limit: 9, deviceId: 'd1', after: 'c' }), ['d', 'a']);
    assert.deepEqual(await ids({ limit: 9, state: 'spent' }), ['c']);
    assert.deepEqual(await ids({ limit: 9, deviceId: 'd2', state: 'void' }), []);
    assert.deepEqual(await statesOf(stores), ['c spent', 'b live', 'd void', 'a live']);
    assert.equal((await admin.externalAccountKey('c'))!.account, 'a1');
    const own = async (filter: object) =>
      (await admin.externalAccountKeysOfMachine({ by: 'machine:mdm', limit: 9, ...filter })).map(
        ({ id }) => id,
      );
    assert.deepEqual(await own({}), ['c', 'b', 'a']);
    assert.deepEqual(await own({ after: 'c', limit: 1 }), ['b']);
    assert.deepEqual(await own({ deviceId: 'd1' }), ['c', 'a']);
    assert.deepEqual(await own({ deviceId: 'd1', state: 'live' }), ['a']);
    assert.deepEqual(await own({ by: 'machine:nac' }), []);
    // An operator is none, whatever the name.
    assert.deepEqual(await own({ by: 'ada' }), []);
  });
});

suite('accounts', () => {
  test('are listed by age in pages and by device, with what they may', async (t) => {
    const stores = openStores(t);
    const { admin, acme } = stores;
    await importDevices(admin, device('d1'), device('d2'));
    for (const [id, of] of [
      ['k1', 'd1'],
      ['k2', 'd2'],
      ['k3', 'd1'],
    ] as const) {
      await createExternalAccountKey(admin, newExternalAccountKey(id, of, bounds));
      await createAccount(acme, `account of ${id}`, id);
    }
    await voidKey(stores, 'k3');
    const listed = await admin.accounts({ limit: 9 });
    assert.deepEqual(listed[0], {
      id: 'account of k1',
      externalAccountKey: 'k1',
      keyState: 'spent',
      deviceId: 'd1',
      ...bounds,
      status: 'valid',
      thumbprint: 'thumbprint of account of k1',
      contact: ['mailto:account of k1@example.org'],
      createdAt: now,
    });
    assert.deepEqual(
      listed.map(({ id, keyState }) => [id, keyState]),
      [
        ['account of k1', 'spent'],
        ['account of k2', 'spent'],
        ['account of k3', 'void'],
      ],
    );
    const [first, ...rest] = listed;
    assert.deepEqual(await admin.accounts({ limit: 1 }), [first]);
    assert.deepEqual(await admin.accounts({ after: first.id, limit: 9 }), rest);
    const ofDevice = await admin.accounts({ deviceId: 'd1', after: first.id, limit: 9 });
    assert.deepEqual(ofDevice, [listed[2]]);
  });

  test('are revoked once, where they are valid', async (t) => {
    const { admin, acme, log } = openStores(t);
    await importDevices(admin, device('d1'));
    for (const id of ['k1', 'k2']) {
      await createExternalAccountKey(admin, newExternalAccountKey(id, 'd1'));
      await createAccount(acme, `a ${id}`, id);
    }
    const deactivated = { id: 'a k2', contact: [], status: 'deactivated' } as const;
    await acme.updateAccount({ ...deactivated, entry: entry('deactivate') });
    const revoke = (id: string) => admin.revokeAccount({ id, entry: entry(`revoke ${id}`) });
    assert.deepEqual(await revoke('a k1'), { index: 6 });
    assert.equal((await acme.account('a k1'))!.status, 'revoked');
    await assert.rejects(revoke('a k1'), isConflict);
    await assert.rejects(revoke('a k2'), isConflict);
    await assert.rejects(revoke('a k3'), isNotFound);
    assert.equal((await log.head()).size, 7);
  });
});

suite('voiding an external account key', () => {
  test('ends a live one and a spent one, each once, and unknown ones not at all', async (t) => {
    const stores = openStores(t);
    const { admin, acme, log } = stores;
    await importDevices(admin, device('d1'));
    for (const id of ['k1', 'k2']) await createExternalAccountKey(admin, newExternalAccountKey(id, 'd1'));
    await createAccount(acme, 'a1', 'k2');
    for (const id of ['k1', 'k2']) {
      await voidKey(stores, id);
      await assert.rejects(voidKey(stores, id), isConflict);
    }
    await assert.rejects(voidKey(stores, 'k9'), isNotFound);
    assert.deepEqual(await statesOf(stores), ['k1 void', 'k2 void']);
    assert.deepEqual((await verifiedIds(log)).slice(-2), ['void k1', 'void k2']);
    // No account is made with the one, and the other's has no power.
    await assert.rejects(createAccount(acme, 'a2', 'k1'), isConflict);
    assert.equal((await acme.account('a1'))!.key!.state, 'void');
  });

  for (const [what, end] of [
    ['made void', async (stores: Stores) => void (await voidKey(stores, 'k1'))],
    [
      'of an account that was revoked',
      async ({ admin }: Stores) => void (await admin.revokeAccount({ id: 'a1', entry: entry('revoke') })),
    ],
  ] as const) {
    test(`${what}: nothing is signed for an order that was seen before`, async (t) => {
      const stores = openStores(t);
      const { admin, acme, enrollment } = stores;
      await importDevices(admin, device('d1'));
      await createExternalAccountKey(admin, newExternalAccountKey('k1', 'd1'));
      await createAccount(acme, 'a1', 'k1');
      await createOrder(acme, 'o1', 'a1');
      await proven(stores, 'authorization of o1');
      const wanted = (id: string) => intent(id, 'd1', { template: 'web', order: 'o1' });
      await end(stores);
      assert.equal(await enrollment.reserve(wanted('i1')), 'conflict');
    });
  }

  test('but for that, the order gets its certificate', async (t) => {
    const stores = openStores(t);
    const { admin, acme, enrollment } = stores;
    await importDevices(admin, device('d1'));
    await createExternalAccountKey(admin, newExternalAccountKey('k1', 'd1'));
    await createAccount(acme, 'a1', 'k1');
    await createOrder(acme, 'o1', 'a1');
    await proven(stores, 'authorization of o1');
    assert.equal(await enrollment.reserve(intent('i1', 'd1', { template: 'web', order: 'o1' })), 'reserved');
  });
});

test('what a revoked machine made and nobody has spent is void; of others nothing is', async (t) => {
  const stores = openStores(t);
  const { admin, acme } = stores;
  await importDevices(admin, device('d1'));
  const machine = {
    name: 'mdm',
    scopes: [],
    templates: ['web'],
    sources: null,
    createdAt: now,
    by: 'ada',
  } as const;
  const token = { hash: Buffer.from(digest('token'), 'hex'), expiresAt: now + hour };
  await admin.createMachine({ machine, token, entry: entry('machine') });
  for (const [id, by] of [
    ['live', 'machine:mdm'],
    ['spent', 'machine:mdm'],
    ['other', 'machine:mdm-2'],
    ['operator', 'mdm'],
  ] as const) {
    await createExternalAccountKey(admin, newExternalAccountKey(id, 'd1', { by }));
  }
  await createAccount(acme, 'a1', 'spent');
  const revoked = await admin.revokeMachine({ name: 'mdm', now, entry: entry('revoke') });
  assert.deepEqual([revoked.secrets, revoked.externalAccountKeys], [0, 1]);
  assert.deepEqual((await statesOf(stores)).toSorted(), [
    'live void',
    'operator live',
    'other live',
    'spent spent',
  ]);
});

test('a device that retires has no external account keys left, spent ones included', async (t) => {
  const stores = openStores(t);
  const { admin, acme } = stores;
  await importDevices(admin, device('d1'), device('d2'));
  for (const [id, of] of [
    ['k1', 'd1'],
    ['k2', 'd1'],
    ['k3', 'd2'],
  ] as const) {
    await createExternalAccountKey(admin, newExternalAccountKey(id, of));
  }
  await createAccount(acme, 'a1', 'k2');
  await admin.setDeviceState({ id: 'd1', state: 'suspended', now, entry: entry('suspend') });
  assert.deepEqual(await statesOf(stores), ['k1 live', 'k2 spent', 'k3 live']);
  await admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') });
  assert.deepEqual(await statesOf(stores), ['k1 void', 'k2 void', 'k3 live']);
});

test('an erased device leaves no key, account, order or authorization', async (t) => {
  const stores = openStores(t);
  const { admin, acme, log } = stores;
  await importDevices(admin, device('d1'), device('d2'));
  for (const id of ['1', '2']) {
    await createExternalAccountKey(admin, newExternalAccountKey(`k${id}`, `d${id}`));
    await createAccount(acme, `a${id}`, `k${id}`);
    await createOrder(acme, `o${id}`, `a${id}`);
  }
  await admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') });
  const { size } = await log.head();
  await admin.eraseDevice({
    id: 'd1',
    as: 'E-1',
    entries: [],
    blobs: 0,
    lookedThrough: size,
    now,
    acts: [entry('erase')],
  });
  const left = async (id: string) => [
    await acme.externalAccountKey(`k${id}`),
    await acme.account(`a${id}`),
    await acme.order(`o${id}`),
    await acme.authorization(`authorization of o${id}`),
  ];
  assert.deepEqual(await left('1'), [null, null, null, null]);
  assert.ok((await left('2')).every((each) => each !== null));
  assert.equal((await admin.externalAccountKeys({ limit: 9 })).length, 1);
  assert.equal((await admin.accounts({ limit: 9 })).length, 1);
});

test('a restore ends every account, what is ordered and what is proven; certificates stay', async (t) => {
  const stores = openStores(t);
  const { admin, acme, query } = stores;
  await importDevices(admin, device('d1'));
  for (const id of ['live', 'void', 'spent']) {
    await createExternalAccountKey(admin, newExternalAccountKey(id, 'd1'));
  }
  await voidKey(stores, 'void');
  await createAccount(acme, 'a1', 'spent');
  for (const id of ['failed', 'pending', 'ready']) await createOrder(acme, id, 'a1');
  await acme.failOrder({ id: 'failed', problem: { type: 'earlier' } });
  const end = { id: 'authorization of failed', problem: { type: 'later' }, entry: entry('deactivate') };
  await acme.deactivateAuthorization(end);
  await proven(stores, 'authorization of ready');

  assert.deepEqual(await query(endAcme()), {
    externalAccountKeys: 2,
    accounts: 0,
    orders: 2,
    authorizations: 2,
  });
  assert.deepEqual((await statesOf(stores)).toSorted(), ['live void', 'spent void', 'void void']);
  assert.deepEqual((await acme.order('failed'))!.error, { type: 'earlier' });
  for (const id of ['pending', 'ready']) {
    const { error, authorizations } = (await acme.order(id))!;
    assert.match(JSON.stringify(error), /"urn:ietf:params:acme:error:unauthorized".*restored/);
    assert.deepEqual(
      authorizations.map(({ status }) => status),
      ['deactivated'],
    );
  }
  assert.deepEqual(await acme.dueAuthorizations(now + hour, 9), []);
  assert.deepEqual(await query(endAcme()), {
    externalAccountKeys: 0,
    accounts: 0,
    orders: 0,
    authorizations: 0,
  });
});

async function proven({ acme }: Stores, id: string): Promise<void> {
  await acme.respond({ id, method: 'dns-01', request: 'R-1', dueAt: now, now, entry: entry('respond') });
  await acme.validated({ id, problem: null, expiresAt: now + hour, now, entry: entry('valid') });
}
