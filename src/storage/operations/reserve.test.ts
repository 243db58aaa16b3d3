import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Intent, StoreObservation } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  approve,
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issue,
  issuedRecord,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  type Stores,
  verifiedIds,
  wide,
} from '../storage.fixture.ts';

/** Device d1 with secret s1 and approval a1, and device d2. */
async function prepared(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  await importDevices(stores.admin, device('d1'), device('d2'));
  await createSecret(stores.admin, newSecret('s1', 'd1'));
  await approve(stores.admin, newApproval('a1', 'd1'));
  return stores;
}

const once = { burst: 1, count: 1, periodSeconds: 9 };
const live = { id: 's1', state: 'live' } as const;
const reserved = { id: 's1', state: 'reserved' } as const;
/** A key belongs to one device. */
const ofD2 = { spki: digest('key of d2') };

function full(id: string, changes: Partial<Intent> = {}): Intent {
  return intent(id, 'd1', { secret: live, approvalId: 'a1', ...changes });
}

function observe({ enrollment }: Stores): Promise<StoreObservation> {
  return enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }));
}

suite('reserving', () => {
  test('conflicts when the device was suspended since it was observed', async (t) => {
    const stores = await prepared(t);
    await stores.admin.setDeviceState({ id: 'd1', state: 'suspended', now, entry: entry('suspend') });
    assert.equal(await stores.enrollment.reserve(full('i1')), 'conflict');
    assert.equal((await observe(stores)).secret?.state, 'live');
  });

  test('conflicts when another device took the key since it was observed', async (t) => {
    const stores = await prepared(t);
    assert.equal(await stores.enrollment.reserve(intent('i1', 'd2')), 'reserved');
    assert.equal(await stores.enrollment.reserve(full('i2')), 'conflict');
    assert.equal((await observe(stores)).secret?.state, 'live');
  });

  test('reserves the secret, takes the approval, spends device and template, and is no entry', async (t) => {
    const stores = await prepared(t);
    const size = (await stores.log.head()).size;
    assert.equal(await stores.enrollment.reserve(full('i1')), 'reserved');
    const { secret, approval, rates } = await observe(stores);
    assert.equal(secret?.state, 'reserved');
    assert.deepEqual(secret.reservedFor, { spki: digest('key'), names: digest('names') });
    assert.equal(approval, null);
    assert.ok(rates.device !== null && rates.device > now);
    assert.ok(rates.template !== null && rates.template > now);
    assert.equal((await stores.log.head()).size, size);
  });

  test('needs neither secret nor approval', async (t) => {
    const { enrollment } = await prepared(t);
    assert.equal(await enrollment.reserve(intent('i1', 'd2')), 'reserved');
  });

  test('takes a secret that a held request of the same key and names reserved', async (t) => {
    const { enrollment } = await prepared(t);
    await enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1' }));
    assert.equal(await enrollment.reserve(full('i1', { secret: reserved })), 'reserved');
  });

  test('of one secret 50 times at once succeeds once', async (t) => {
    const { enrollment } = await prepared(t);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => enrollment.reserve(intent(`i${i}`, 'd1', { secret: live }))),
    );
    assert.equal(answers.filter((answer) => answer === 'reserved').length, 1);
  });
});

for (const [what, changes] of [
  ['class', { deviceClass: 'server' }],
  ['serial number', { serialNumber: 'SN-other' }],
  ['identifiers', { identifiers: { dnsName: 'www.example.com' } }],
] as const) {
  test(`reserving and closing fail where an operator gave the device another ${what} meanwhile`, async (t) => {
    const { admin, enrollment, log } = await prepared(t);
    const early = intent('i1', 'd2');
    assert.equal(await enrollment.reserve(early), 'reserved');
    await importDevices(admin, device('d2', changes));
    assert.equal(await enrollment.reserve(intent('i2', 'd2')), 'conflict');
    const { size } = await log.head();
    await assert.rejects(enrollment.close(issuedRecord(early)), (error) =>
      isSallyportError(error, 'conflict'),
    );
    assert.equal((await log.head()).size, size);
    const { serialNumber, deviceClass, identifiers } = device('d2', changes);
    const seen = { serialNumber, deviceClass, identifiers };
    assert.equal(await enrollment.reserve(intent('i3', 'd2', { seen })), 'reserved');
  });
}

suite('reserving for a key that the authority makes', () => {
  const keys = { requestSpki: digest('key'), spki: digest('key made here') };

  test('binds the secret to the key that asks', async (t) => {
    const stores = await prepared(t);
    assert.equal(await stores.enrollment.reserve(full('i1', keys)), 'reserved');
    const { secret } = await observe(stores);
    assert.deepEqual(secret?.reservedFor, { spki: keys.requestSpki, names: digest('names') });
  });

  test('takes the secret that the asking key reserved, and the approval for it', async (t) => {
    const { enrollment, admin } = await prepared(t);
    await enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1', spki: keys.requestSpki }));
    await approve(admin, newApproval('a2', 'd1', { spki: keys.requestSpki }));
    const wanted = full('i1', { ...keys, secret: reserved, approvalId: 'a2' });
    assert.equal(await enrollment.reserve(wanted), 'reserved');
  });

  test('takes neither secret nor approval that are bound to the key made', async (t) => {
    const { enrollment, admin } = await prepared(t);
    await approve(admin, newApproval('a2', 'd1', { spki: keys.spki }));
    assert.equal(await enrollment.reserve(full('i1', { ...keys, approvalId: 'a2' })), 'conflict');
    await enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1', spki: keys.spki }));
    assert.equal(await enrollment.reserve(full('i1', { ...keys, secret: reserved })), 'conflict');
  });

  test('conflicts when another device has the key made, or asks with it', async (t) => {
    const { enrollment } = await prepared(t);
    const asking = { requestSpki: keys.spki, spki: digest('another made here') };
    assert.equal(await enrollment.reserve(intent('i0', 'd2', asking)), 'reserved');
    assert.equal(await enrollment.reserve(full('i1', keys)), 'conflict');
    assert.equal(await enrollment.reserve(full('i1', { ...keys, ...asking })), 'conflict');
  });
});

suite('reserving what was seen to be without another key', () => {
  const other = { spki: digest('other key') };
  const fresh = (id: string, changes: Partial<Intent> = {}) => intent(id, 'd1', { fresh: true, ...changes });

  test('needs no certificate to be there', async (t) => {
    const { enrollment } = await prepared(t);
    assert.equal(await enrollment.reserve(fresh('i1')), 'reserved');
  });

  const conflicts: readonly [string, (stores: Stores) => Promise<unknown>][] = [
    ['has a certificate', ({ enrollment }) => issue(enrollment, intent('i0', 'd1', other))],
    ['has an open intent', ({ enrollment }) => enrollment.reserve(intent('i0', 'd1', other))],
    [
      'has an open intent, late but not abandoned,',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd1', { ...other, leaseUntil: now })),
    ],
    [
      'has a certificate made for this asking key, and',
      ({ enrollment }) => issue(enrollment, intent('i0', 'd1', { ...other, requestSpki: digest('key') })),
    ],
  ];
  for (const [what, arrange] of conflicts) {
    test(`conflicts and changes nothing when the device ${what} for another key`, async (t) => {
      const stores = await prepared(t);
      await arrange(stores);
      const before = await observe(stores);
      const wanted = full('i1', { fresh: true });
      assert.equal(await stores.enrollment.reserve(wanted), 'conflict');
      assert.deepEqual(await observe(stores), before);
      assert.equal(
        await stores.enrollment.reserve({ ...wanted, fresh: false, approvalId: null }),
        'reserved',
      );
    });
  }

  test('conflicts when a key is made for it and it has a certificate for the key that asks', async (t) => {
    const { enrollment } = await prepared(t);
    await issue(enrollment, intent('i0', 'd1'));
    const made = { requestSpki: digest('key'), spki: digest('key made here') };
    assert.equal(await enrollment.reserve(fresh('i1', made)), 'conflict');
    assert.equal(await enrollment.reserve(fresh('i1')), 'reserved');
  });

  const free: readonly [string, (stores: Stores) => Promise<unknown>][] = [
    ['a certificate for this key', ({ enrollment }) => issue(enrollment, intent('i0', 'd1'))],
    ['an open intent for this key', ({ enrollment }) => enrollment.reserve(intent('i0', 'd1'))],
    [
      'a certificate of another template for another key',
      ({ enrollment }) => issue(enrollment, intent('i0', 'd1', { ...other, template: 'other' })),
    ],
    [
      'an open intent of another template for another key',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd1', { ...other, template: 'other' })),
    ],
    [
      'the certificate of another device for another key',
      ({ enrollment }) => issue(enrollment, intent('i0', 'd2', other)),
    ],
    [
      'the open intent of another device for another key',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd2', other)),
    ],
    [
      'a revoked certificate for another key',
      async ({ enrollment, admin }) => {
        const { sha256 } = await issue(enrollment, intent('i0', 'd1', other));
        await admin.revokeCertificate({ sha256, reason: 4, now, entry: entry('revoke') });
      },
    ],
    [
      'an abandoned intent for another key',
      async ({ enrollment, admin }) => {
        await enrollment.reserve(intent('i0', 'd1', other));
        await admin.abandonIntent({ id: 'i0', now, entry: entry('sweep') });
      },
    ],
  ];
  for (const [what, arrange] of free) {
    test(`is not hindered by ${what}`, async (t) => {
      const stores = await prepared(t);
      await arrange(stores);
      assert.equal(await stores.enrollment.reserve(fresh('i1')), 'reserved');
    });
  }

  test('is hindered by a certificate up to its last millisecond', async (t) => {
    const { enrollment } = await prepared(t);
    const { notAfter } = await issue(enrollment, intent('i0', 'd1', other));
    assert.equal(await enrollment.reserve(fresh('i1', { now: notAfter })), 'conflict');
    assert.equal(await enrollment.reserve(fresh('i1', { now: notAfter + 1 })), 'reserved');
  });

  test('of 50 keys at once succeeds for one', async (t) => {
    const { enrollment } = await prepared(t);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => enrollment.reserve(fresh(`i${i}`, { spki: digest(`key ${i}`) }))),
    );
    assert.equal(answers.filter((answer) => answer === 'reserved').length, 1);
  });
});

suite('reserving conflicts and changes nothing', () => {
  const revoke = async ({ admin }: Stores) => {
    await admin.voidSecret({ id: 's1', now, entry: entry('void') });
  };
  const cases: readonly [string, (stores: Stores) => Promise<unknown>, Partial<Intent>][] = [
    ['a secret observed live is void', revoke, {}],
    ['a secret observed reserved is void', revoke, { secret: reserved }],
    [
      'a secret observed live is reserved, though for the same request',
      ({ enrollment }) => enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1' })),
      {},
    ],
    [
      'a secret observed reserved is reserved for another key',
      ({ enrollment }) => enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1', spki: digest('other') })),
      { secret: reserved },
    ],
    [
      'a secret observed reserved is reserved for other names',
      ({ enrollment }) => enrollment.hold(holdRecord('r1', 'd1', { secretId: 's1', names: digest('other') })),
      { secret: reserved },
    ],
    ['a secret observed reserved is live', async () => undefined, { secret: reserved }],
    [
      'a secret observed reserved is spent',
      ({ enrollment }) => issue(enrollment, intent('i0', 'd1', { secret: live })),
      { secret: reserved },
    ],
    [
      'the secret has an open intent already, though of the same key and names',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd1', { secret: live })),
      { secret: reserved },
    ],
    ["the secret is another device's", async () => undefined, { deviceId: 'd2', approvalId: null }],
    ["the secret is another template's", async () => undefined, { template: 'other', approvalId: null }],
    ['there is no such secret', async () => undefined, { secret: { id: 's9', state: 'live' } }],
    [
      'the approval is taken',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd1', { approvalId: 'a1' })),
      {},
    ],
    [
      'the approval is used',
      ({ enrollment }) => issue(enrollment, intent('i0', 'd1', { approvalId: 'a1' })),
      {},
    ],
    ['the approval has expired', async () => undefined, { now: newApproval('a1', 'd1').expiresAt }],
    [
      "the approval is another device's",
      ({ admin }) => approve(admin, newApproval('a2', 'd2')),
      { approvalId: 'a2' },
    ],
    [
      "the approval is another template's",
      ({ admin }) => approve(admin, newApproval('a2', 'd1', { template: 'other' })),
      { approvalId: 'a2' },
    ],
    [
      "the approval is another key's",
      ({ admin }) => approve(admin, newApproval('a2', 'd1', { spki: digest('other') })),
      { approvalId: 'a2' },
    ],
    ['there is no such approval', async () => undefined, { approvalId: 'a9' }],
    [
      'the device has spent its limit',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd1')),
      { limits: { device: once, template: wide, challenge: null } },
    ],
    [
      'the template has spent its limit, by another device',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd2', ofD2)),
      { limits: { device: wide, template: once, challenge: null } },
    ],
    [
      'the static challenge has spent its limit, by another device',
      ({ enrollment }) =>
        enrollment.reserve(
          intent('i0', 'd2', { ...ofD2, limits: { device: wide, template: wide, challenge: once } }),
        ),
      { limits: { device: wide, template: wide, challenge: once } },
    ],
    ['the intent is there already', ({ enrollment }) => enrollment.reserve(intent('i1', 'd2', ofD2)), {}],
    [
      'the serial number is that of an open intent',
      ({ enrollment }) => enrollment.reserve(intent('i0', 'd2', { ...ofD2, serialNumber: 'aa' })),
      { serialNumber: 'aa' },
    ],
    [
      'the serial number is that of a certificate',
      ({ enrollment }) => issue(enrollment, intent('i0', 'd2', { ...ofD2, serialNumber: 'aa' })),
      { serialNumber: 'aa' },
    ],
    [
      'the serial number is that of an abandoned intent',
      async ({ enrollment, admin }) => {
        await enrollment.reserve(intent('i0', 'd2', { ...ofD2, serialNumber: 'aa' }));
        await admin.abandonIntent({ id: 'i0', now, entry: entry('sweep') });
      },
      { serialNumber: 'aa' },
    ],
    [
      'the device was retired',
      ({ admin }) => admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') }),
      {},
    ],
  ];
  for (const [what, arrange, changes] of cases) {
    test(`when ${what}`, async (t) => {
      const stores = await prepared(t);
      await arrange(stores);
      const before = await observe(stores);
      assert.equal(await stores.enrollment.reserve(full('i1', changes)), 'conflict');
      assert.deepEqual(await observe(stores), before);
      await assert.rejects(stores.enrollment.close(issuedRecord(full('i1', changes))), (error) =>
        isSallyportError(error, 'conflict'),
      );
      assert.deepEqual(await observe(stores), before);
    });
  }

  test('the same serial number under another issuer is none', async (t) => {
    const { enrollment } = await prepared(t);
    await issue(
      enrollment,
      intent('i0', 'd2', { serialNumber: 'aa', issuer: 'other', spki: digest('key of d2') }),
    );
    assert.equal(await enrollment.reserve(full('i1', { serialNumber: 'aa' })), 'reserved');
  });

  test('for a device that is not there, nothing is reserved', async (t) => {
    const stores = await prepared(t);
    await assert.rejects(stores.enrollment.reserve(intent('i1', 'd9')), (error) =>
      isSallyportError(error, 'not-found'),
    );
    assert.deepEqual(await verifiedIds(stores.log), ['import', 'create s1', 'approve a1']);
  });
});
