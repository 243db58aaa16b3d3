import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import {
  certificateOf,
  createAccount,
  createExternalAccountKey,
  createOrder,
  device,
  digest,
  entry,
  holdRecord,
  hour,
  importDevices,
  intent,
  issuedRecord,
  newExternalAccountKey,
  now,
  observeQuery,
  openStores,
  type Stores,
} from '../storage.fixture.ts';

const isConflict = (error: unknown) => isSallyportError(error, 'conflict');

/** An account `a1` of device d1, and another, `a2`, of d2. */
async function withAccounts(t: Pick<TestContext, 'after'>, changes = {}): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  await createExternalAccountKey(stores.admin, newExternalAccountKey('k1', 'd1', changes));
  await createExternalAccountKey(stores.admin, newExternalAccountKey('k2', 'd2'));
  await createAccount(stores.acme, 'a1', 'k1');
  await createAccount(stores.acme, 'a2', 'k2');
  return stores;
}

async function prove({ acme }: Stores, id: string, expiresAt = now + hour): Promise<void> {
  await acme.respond({
    id,
    method: 'http-01',
    request: 'R-1',
    dueAt: now + 1000,
    now,
    entry: entry(`answer ${id}`),
  });
  await acme.validated({ id, problem: null, expiresAt, now, entry: entry(`proven ${id}`) });
}

const ordered = (id: string, order: string, changes = {}) =>
  intent(id, 'd1', { template: 'web', order, ...changes });

/** What an order is issued by: reserved, closed. */
async function issueFor({ enrollment }: Stores, id: string, order: string, changes = {}) {
  const wanted = ordered(id, order, changes);
  assert.equal(await enrollment.reserve(wanted), 'reserved');
  await enrollment.close(issuedRecord(wanted));
  return certificateOf(wanted);
}

suite('nonces', () => {
  test('are used once, and forgotten when their age refuses them', async (t) => {
    const { acme } = openStores(t);
    const nonce = Buffer.from('one');
    assert.equal(await acme.useNonce(nonce, now + hour), true);
    assert.equal(await acme.useNonce(nonce, now + hour), false);
    assert.equal(await acme.useNonce(Buffer.from('other'), now + hour), true);
    // With a minute for who looked at its age and then stood still.
    await acme.forgetNonces(now + hour + 59_999);
    assert.equal(await acme.useNonce(nonce, now + hour), false);
    await acme.forgetNonces(now + hour + 60_000);
    assert.equal(await acme.useNonce(nonce, now + hour), true);
  });
});

suite('accounts', () => {
  test('spend their external account key, once, and not when it is late', async (t) => {
    const { acme, admin } = await withAccounts(t);
    assert.equal((await acme.externalAccountKey('k1'))!.state, 'spent');
    await assert.rejects(createAccount(acme, 'a3', 'k1'), isConflict);
    await createExternalAccountKey(admin, newExternalAccountKey('late', 'd1', { expiresAt: now }));
    await assert.rejects(createAccount(acme, 'a4', 'late'), isConflict);
    assert.equal((await acme.externalAccountKey('late'))!.state, 'live');
    assert.equal(await acme.account('a3'), null);
  });

  test('are found by id and key, and their key is no certificate’s', async (t) => {
    const { acme } = await withAccounts(t);
    const found = await acme.account('a1');
    assert.deepEqual(await acme.accountByKey('thumbprint of a1'), found);
    assert.deepEqual([found!.device, found!.key!.state, found!.status], ['d1', 'spent', 'valid']);
    assert.equal(await acme.isAccountKey(digest('key of a1')), true);
    assert.equal(await acme.isAccountKey(digest('key')), false);
  });

  test('change their key, while it is the one that was seen, and to none that another has', async (t) => {
    const { acme } = await withAccounts(t);
    const change = (oldThumbprint: string, thumbprint: string) =>
      acme.changeAccountKey({
        id: 'a1',
        oldThumbprint,
        thumbprint,
        jwk: '{"new":1}',
        spki: digest(thumbprint),
        entry: entry(`change to ${thumbprint}`),
      });
    await assert.rejects(change('another', 'new'), isConflict);
    await assert.rejects(change('thumbprint of a1', 'thumbprint of a2'), isConflict);
    await change('thumbprint of a1', 'new');
    assert.equal((await acme.accountByKey('new'))!.id, 'a1');
    assert.equal(await acme.accountByKey('thumbprint of a1'), null);
  });

  test('are deactivated for ever', async (t) => {
    const { acme } = await withAccounts(t);
    const update = (status: 'valid' | 'deactivated') =>
      acme.updateAccount({
        id: 'a1',
        contact: ['mailto:b@example.org'],
        status,
        entry: entry(`${status} 1`),
      });
    await update('deactivated');
    await assert.rejects(update('valid'), isConflict);
    const { status, contact } = (await acme.account('a1'))!;
    assert.deepEqual([status, contact], ['deactivated', ['mailto:b@example.org']]);
  });
});

suite('orders', () => {
  test('take a proof that counts long enough, of their own account and template alone', async (t) => {
    const stores = await withAccounts(t);
    const { acme } = stores;
    await createOrder(acme, 'o1', 'a1');
    await prove(stores, 'authorization of o1');
    const ofOrder = async (id: string, account: string, changes = {}) =>
      (await createOrder(acme, id, account, changes)).authorizations.map((each) => each.id);
    assert.deepEqual(await ofOrder('o2', 'a1'), ['authorization of o1']);
    assert.deepEqual(await ofOrder('o3', 'a1', { reuseUntil: now + hour }), ['authorization of o3']);
    assert.deepEqual(await ofOrder('o4', 'a1', { template: 'other' }), ['authorization of o4']);
    assert.deepEqual(await ofOrder('o5', 'a2'), ['authorization of o5']);
    const wildcard = { type: 'dns', value: 'www.example.org', wildcard: true, token: 't' } as const;
    assert.deepEqual(await ofOrder('o6', 'a1', { wanted: [{ ...wildcard, id: 'wild' }] }), ['wild']);
  });

  test('are no more than so many that are open, and listed by age in pages', async (t) => {
    const stores = await withAccounts(t);
    const { acme } = stores;
    const bounded = (id: string, more = {}) => createOrder(acme, id, 'a1', { maximumOpen: 2, ...more });
    await bounded('o1');
    await bounded('o2', { now: now + 1 });
    await assert.rejects(bounded('o3'), isConflict);
    await acme.failOrder({ id: 'o1', problem: { type: 'x' } });
    await bounded('o4', { now: now + 2 });
    await assert.rejects(bounded('o5'), isConflict);
    // Once the others are over.
    await bounded('o6', { now: now + hour + 3, expiresAt: now + 2 * hour });
    const ids = (after: string | null, limit = 9) => acme.ordersOf({ account: 'a1', after, now, limit });
    assert.deepEqual(await ids(null), ['o2', 'o4', 'o6']);
    assert.deepEqual(await ids('o2', 1), ['o4']);
    assert.deepEqual(await acme.ordersOf({ account: 'a2', after: null, now, limit: 9 }), []);
  });

  test('come to nothing with a proof that fails or is given up', async (t) => {
    const stores = await withAccounts(t);
    const { acme } = stores;
    await createOrder(acme, 'o1', 'a1');
    await createOrder(acme, 'o2', 'a1');
    const id = 'authorization of o1';
    const answer = { id, method: 'dns-01', request: 'R-1', dueAt: now + 1000, now, entry: entry('answer') };
    await acme.respond(answer);
    await assert.rejects(acme.respond({ ...answer, entry: entry('again') }), isConflict);
    assert.deepEqual(await acme.dueAuthorizations(now + 999, 9), []);
    const [due] = await acme.dueAuthorizations(now + 1000, 9);
    assert.deepEqual([due!.id, due!.method, due!.tries], [id, 'dns-01', 0]);
    assert.equal(await acme.takeDue({ id, now: now + 1000, dueAt: now + 2000 }), true);
    assert.equal(await acme.takeDue({ id, now: now + 1000, dueAt: now + 2000 }), false);
    const problem = { type: 'dns' };
    await acme.validated({ id, problem, expiresAt: now + hour, now, entry: entry('failed') });
    assert.deepEqual((await acme.order('o1'))!.error, problem);
    const over = { id, problem: null, expiresAt: now + hour, now, entry: entry('late') };
    await assert.rejects(acme.validated(over), isConflict);

    const second = 'authorization of o2';
    await acme.deactivateAuthorization({
      id: second,
      problem: { type: 'given up' },
      entry: entry('give up'),
    });
    assert.deepEqual((await acme.order('o2'))!.error, { type: 'given up' });
  });

  test('are forgotten when they were over for long, and not while their certificate is current', async (t) => {
    const stores = await withAccounts(t);
    const { acme } = stores;
    await createOrder(acme, 'o1', 'a1');
    await createOrder(acme, 'o2', 'a1');
    await prove(stores, 'authorization of o2');
    await issueFor(stores, 'i1', 'o2');
    await acme.forgetOrders({ now, over: now + hour - 1 });
    assert.notEqual(await acme.order('o1'), null);
    await acme.forgetOrders({ now, over: now + hour });
    assert.equal(await acme.order('o1'), null);
    assert.equal(await acme.authorization('authorization of o1'), null);
    assert.notEqual(await acme.order('o2'), null);
    await acme.forgetOrders({ now, over: now + 25 * hour });
    assert.equal(await acme.order('o2'), null);
  });
});

suite('an order that is issued for', () => {
  const observed = async ({ enrollment }: Stores, id: string, account = 'a1') =>
    enrollment.observe(observeQuery({ template: 'web', order: { id, account } }));

  test('is observed with its owner, what that was given, and what was proven', async (t) => {
    const stores = await withAccounts(t, {
      names: ['.example.org'],
      approvedBy: 'ada',
      maximumCertificates: 2,
    });
    await createOrder(stores.acme, 'o1', 'a1', { notAfter: now + 5 });
    await prove(stores, 'authorization of o1');
    const { order, device: owner, otherKeyCurrent, issued } = await observed(stores, 'o1');
    assert.deepEqual([owner!.id, otherKeyCurrent, issued], ['d1', false, null]);
    assert.deepEqual(order!.account, { id: 'a1', status: 'valid' });
    assert.deepEqual(
      [order!.key!.names, order!.key!.approvedBy, order!.key!.state, order!.otherNames, order!.notAfter],
      [['.example.org'], 'ada', 'spent', 0, now + 5],
    );
    assert.deepEqual(
      order!.authorizations.map(({ value, status, method }) => [value, status, method]),
      [['www.example.org', 'valid', 'http-01']],
    );
    const foreign = await observed(stores, 'o1', 'a2');
    assert.deepEqual([foreign.order, foreign.device], [null, null]);
  });

  test('has its certificate in the same transaction, and no second one', async (t) => {
    const stores = await withAccounts(t, { maximumCertificates: 1 });
    const { acme, enrollment } = stores;
    await createOrder(acme, 'o1', 'a1');
    await prove(stores, 'authorization of o1');
    const first = ordered('i1', 'o1');
    assert.equal(await enrollment.reserve(first), 'reserved');
    // While an intent is open, nobody opens another.
    assert.equal(await enrollment.reserve(ordered('i2', 'o1')), 'conflict');
    await enrollment.close(issuedRecord(first));
    assert.equal(await enrollment.reserve(ordered('i3', 'o1')), 'conflict');
    const { sha256, der } = certificateOf(first);
    assert.equal((await acme.order('o1'))!.certificate, sha256);
    const { order } = await observed(stores, 'o1');
    assert.deepEqual(
      [order!.certificate, order!.failed, order!.finalizedSpki],
      [sha256, false, digest('key')],
    );
    const asked = { account: 'a1', template: 'web', names: digest('www.example.org'), without: null, now };
    assert.deepEqual(Buffer.from((await acme.predecessor(asked))!), der);
    assert.equal(await acme.predecessor({ ...asked, without: sha256 }), null);
    assert.equal(await acme.predecessor({ ...asked, account: 'a2' }), null);
    assert.equal(await acme.predecessor({ ...asked, now: now + 25 * hour }), null);
    assert.equal((await acme.certificate({ sha256, now }))!.account, 'a1');
    // Another set of names counts beside it.
    await createOrder(acme, 'o2', 'a1', { names: digest('other names') });
    assert.equal((await observed(stores, 'o2')).order!.otherNames, 1);
    const revoke = { sha256, reason: 4, now, entry: entry('revoke') };
    await acme.revoke(revoke);
    assert.equal((await observed(stores, 'o2')).order!.otherNames, 0);
    assert.deepEqual(
      [(await observed(stores, 'o1')).order!.failed, await acme.predecessor(asked)],
      [true, null],
    );
  });

  for (const [what, undo] of [
    [
      'its account is deactivated',
      (stores: Stores) =>
        stores.acme.updateAccount({ id: 'a1', contact: [], status: 'deactivated', entry: entry('end') }),
    ],
    [
      'its external account key is void',
      (stores: Stores) => stores.admin.voidExternalAccountKey({ id: 'k1', entry: entry('end') }),
    ],
    [
      'a proof was given up',
      (stores: Stores) =>
        stores.acme.deactivateAuthorization({ id: 'authorization of o1', problem: {}, entry: entry('end') }),
    ],
    ['it came to nothing', (stores: Stores) => stores.acme.failOrder({ id: 'o1', problem: {} })],
  ] as const) {
    test(`gets no signature where ${what} meanwhile`, async (t) => {
      const stores = await withAccounts(t);
      await createOrder(stores.acme, 'o1', 'a1');
      await prove(stores, 'authorization of o1');
      await undo(stores);
      assert.equal(await stores.enrollment.reserve(ordered('i1', 'o1')), 'conflict');
    });

    test(`gets no certificate where ${what} while that is signed`, async (t) => {
      const stores = await withAccounts(t);
      await createOrder(stores.acme, 'o1', 'a1');
      await prove(stores, 'authorization of o1');
      const wanted = ordered('i1', 'o1');
      assert.equal(await stores.enrollment.reserve(wanted), 'reserved');
      await undo(stores);
      await assert.rejects(stores.enrollment.close(issuedRecord(wanted)), isConflict);
    });
  }

  test('is held with its request, and goes on for that key alone', async (t) => {
    const stores = await withAccounts(t);
    const { acme, enrollment } = stores;
    await createOrder(acme, 'o1', 'a1');
    await prove(stores, 'authorization of o1');
    const bytes = Buffer.from('the request');
    const address = Buffer.from(digest('address'), 'hex');
    const hold = (id: string, spki = digest('key')) => {
      const kept = { ...entry(id), blobs: [{ address, salt: Buffer.alloc(32), bytes }] };
      const order = { id: 'o1', address };
      return enrollment.hold(holdRecord(id, 'd1', { template: 'web', spki, order, entry: kept }));
    };
    assert.equal(await acme.heldRequest('o1'), null);
    await hold('h1');
    assert.deepEqual(Buffer.from((await acme.heldRequest('o1'))!), bytes);
    const { finalizedAt } = (await acme.order('o1'))!;
    assert.equal(finalizedAt, now);
    await assert.rejects(hold('h2', digest('another key')), isConflict);
    const { sha256 } = await issueFor(stores, 'i1', 'o1');
    assert.equal((await acme.order('o1'))!.certificate, sha256);
    await assert.rejects(hold('h3'), isConflict);
  });

  test('is replaced by one order, until that comes to nothing', async (t) => {
    const stores = await withAccounts(t);
    const { acme } = stores;
    await createOrder(acme, 'o1', 'a1');
    await prove(stores, 'authorization of o1');
    const { sha256, serialNumber } = await issueFor(stores, 'i1', 'o1');
    await createOrder(acme, 'o2', 'a1', { replaces: sha256 });
    assert.equal((await acme.certificate({ issuer: 'issuing', serialNumber, now }))!.replacedBy, 'o2');
    await assert.rejects(createOrder(acme, 'o3', 'a1', { replaces: sha256 }), isConflict);
    await acme.failOrder({ id: 'o2', problem: {} });
    assert.equal((await acme.certificate({ sha256, now }))!.replacedBy, null);
    await createOrder(acme, 'o4', 'a1', { replaces: sha256 });
  });
});
