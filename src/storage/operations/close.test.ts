import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Intent, IssuedRecord } from '#enrollment';
import { isSallyportError } from '#errors';
import {
  approve,
  certificateOf,
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  hour,
  importDevices,
  intent,
  issue,
  issuedRecord,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';

const wanted: Intent = intent('i1', 'd1', { secret: { id: 's1', state: 'live' }, approvalId: 'a1' });

/** Device d1 with secret s1, approval a1, a pending request, and the intent reserved. */
async function reserved(t: Parameters<typeof openStores>[0]): Promise<Stores> {
  const stores = openStores(t);
  const { admin, enrollment } = stores;
  await importDevices(admin, device('d1'), device('d2'));
  await createSecret(admin, newSecret('s1', 'd1'));
  await approve(admin, newApproval('a1', 'd1'));
  await enrollment.hold(holdRecord('r1', 'd1'));
  assert.equal(await enrollment.reserve(wanted), 'reserved');
  return stores;
}

async function states({ admin, log }: Stores) {
  const [secret] = await admin.secrets({ limit: 1 });
  return {
    secret: secret?.state,
    request: (await admin.request('r1'))?.state,
    device: (await admin.device('d1'))?.state,
    certificates: (await admin.certificates({ now, limit: 9 })).map(({ sha256 }) => sha256),
    log: await verifiedIds(log),
  };
}

suite('closing', () => {
  test('stores the certificate, spends the secret, ends the request, activates the device, appends the entry', async (t) => {
    const stores = await reserved(t);
    assert.deepEqual(await stores.enrollment.close(issuedRecord(wanted, { now: now + 7 })), { index: 4 });
    const certificate = certificateOf(wanted);
    assert.deepEqual(await states(stores), {
      secret: 'spent',
      request: 'issued',
      device: 'active',
      certificates: [certificate.sha256],
      log: ['import', 'create s1', 'approve a1', 'r1', 'i1'],
    });
    assert.equal((await stores.admin.device('d1'))?.updatedAt, now + 7);
    assert.deepEqual(await stores.enrollment.certificate(certificate.sha256), {
      ...certificate,
      der: new Uint8Array(certificate.der),
      undelivered: false,
    });
    assert.equal((await stores.admin.certificateInfo(certificate.sha256))?.logIndex, 4);
  });

  test('uses the approval up', async (t) => {
    const { enrollment } = await reserved(t);
    await enrollment.close(issuedRecord(wanted));
    assert.equal(await enrollment.reserve(intent('i2', 'd1', { approvalId: 'a1' })), 'conflict');
  });

  test('of a first certificate ends what else was approved beforehand; a renewal leaves it', async (t) => {
    const { enrollment, admin } = await reserved(t);
    const { sha256 } = await issue(enrollment, intent('i2', 'd2', { spki: digest('key of d2') }));
    const open = async () =>
      (await enrollment.observe(observeQuery({ presenterSha256: sha256 }))).approval?.id ?? null;
    await approve(admin, newApproval('expected', 'd2'));
    await issue(enrollment, intent('i3', 'd2', { spki: digest('key of d2'), predecessor: sha256 }));
    assert.equal(await open(), 'expected');
    await issue(enrollment, intent('i4', 'd2', { spki: digest('other key of d2') }));
    assert.equal(await open(), null);
  });

  test('ends an approved request of this key, and no other request', async (t) => {
    const { enrollment, admin } = await reserved(t);
    const names = { spki: digest('key'), names: digest('names') };
    await admin.approveRequest({
      id: 'r1',
      approval: newApproval('a2', 'd1', names),
      ofEvidence: [],
      now,
      entry: entry('approve'),
    });
    await enrollment.hold(holdRecord('r2', 'd1', { spki: digest('other') }));
    await enrollment.hold(holdRecord('r3', 'd1', { template: 'other' }));
    await enrollment.close(issuedRecord(wanted));
    assert.deepEqual(
      (await admin.requests({ limit: 9 })).map(({ id, state }) => `${id} ${state}`),
      ['r1 issued', 'r2 pending', 'r3 pending'],
    );
  });

  test('ends the request of the key that asked, and keeps the key that was certified', async (t) => {
    const { enrollment, admin } = await reserved(t);
    const made = intent('i2', 'd2', { requestSpki: digest('asking'), spki: digest('made here') });
    await enrollment.hold(holdRecord('of asking', 'd2', { spki: made.requestSpki }));
    await enrollment.hold(holdRecord('of made', 'd2', { spki: made.spki }));
    const { sha256 } = await issue(enrollment, made);
    assert.equal((await admin.request('of asking'))?.state, 'issued');
    assert.equal((await admin.request('of made'))?.state, 'pending');
    assert.equal((await enrollment.certificate(sha256))?.spki, made.spki);
  });

  test('keeps the lineage', async (t) => {
    const { enrollment } = await reserved(t);
    const first = await issue(enrollment, intent('i5', 'd2', { spki: digest('key of d2') }));
    const renewal = intent('i6', 'd2', { spki: digest('key of d2'), predecessor: first.sha256 });
    await enrollment.reserve(renewal);
    const certificate = certificateOf(renewal);
    await enrollment.close(issuedRecord(renewal));
    assert.equal((await enrollment.certificate(certificate.sha256))?.predecessor, first.sha256);
    assert.equal(await enrollment.certificate(digest('no certificate')), null);
  });
});

suite('closing conflicts, delivers nothing and changes nothing', () => {
  const other = intent('i0', 'd2', { serialNumber: 'aa', spki: digest('key of d2') });
  const cases: readonly [string, (stores: Stores) => Promise<unknown>, Partial<IssuedRecord>?][] = [
    ['when it was closed before', ({ enrollment }) => enrollment.close(issuedRecord(wanted))],
    [
      'when the intent was abandoned',
      ({ admin }) => admin.abandonIntent({ id: 'i1', now, entry: entry('sweep') }),
    ],
    ['when there is no such intent', async () => undefined, { intentId: 'i9' }],
    ['when the secret was voided', ({ admin }) => admin.voidSecret({ id: 's1', now, entry: entry('void') })],
    [
      'when the request was denied, which voids the secret',
      async ({ admin }) => admin.denyRequest({ id: 'r1', by: 'ada', now, entry: entry('deny') }),
    ],
    [
      'when the device was suspended',
      ({ admin }) => admin.setDeviceState({ id: 'd1', state: 'suspended', now, entry: entry('suspend') }),
    ],
    [
      'when the device was retired',
      ({ admin }) => admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') }),
    ],
    ['when the secret is not the one reserved', async () => undefined, { secretId: null }],
    ['when the approval is not the one taken', async () => undefined, { approvalId: null }],
    [
      'when the key that asks is not the one reserved for',
      async () => undefined,
      { requestSpki: digest('other') },
    ],
    [
      'when the certificate is in the store',
      ({ enrollment }) => issue(enrollment, other),
      { certificate: certificateOf(wanted, { sha256: certificateOf(other).sha256 }) },
    ],
    ...(
      [
        ['issuer', 'other'],
        ['serialNumber', 'bb'],
        ['deviceId', 'd2'],
        ['template', 'other'],
        ['spki', digest('other')],
        ['names', digest('other')],
      ] as const
    ).map(([name, value]): [string, () => Promise<unknown>, Partial<IssuedRecord>] => [
      `when the certificate's ${name} is not the intent's`,
      async () => undefined,
      { certificate: certificateOf(wanted, { [name]: value }) },
    ]),
  ];
  for (const [what, arrange, changes] of cases) {
    test(what, async (t) => {
      const stores = await reserved(t);
      await arrange(stores);
      const before = await states(stores);
      await assert.rejects(stores.enrollment.close(issuedRecord(wanted, changes)), (error) =>
        isSallyportError(error, 'conflict'),
      );
      assert.deepEqual(await states(stores), before);
    });
  }

  /** The same renewal on two nodes at once: neither saw a certificate for it. */
  async function renewedTwice(t: Parameters<typeof openStores>[0]) {
    const stores = await reserved(t);
    const { enrollment } = stores;
    const predecessor = (await issue(enrollment, intent('first', 'd2', { spki: digest('key of d2') })))
      .sha256;
    const [one, two] = ['one', 'two'].map((id) =>
      intent(id, 'd2', { spki: digest('key of d2'), predecessor }),
    ) as [Intent, Intent];
    for (const each of [one, two]) assert.equal(await enrollment.reserve(each), 'reserved');
    const close = (each: Intent, sha256: string | null) =>
      enrollment.close(issuedRecord(each, { issuedBefore: { predecessor, sha256 } }));
    await close(one, null);
    return { stores, close, one, two };
  }

  test('when the same request got its certificate meanwhile', async (t) => {
    const { stores, close, two } = await renewedTwice(t);
    const before = await states(stores);
    await assert.rejects(close(two, null), (error) => isSallyportError(error, 'conflict'));
    assert.deepEqual(await states(stores), before);
  });

  test('and not when what it had got already was seen', async (t) => {
    const { close, one, two } = await renewedTwice(t);
    await close(two, certificateOf(one).sha256);
  });

  test('even late: an open intent closes after its lease, while nobody abandoned it', async (t) => {
    const { enrollment } = await reserved(t);
    await enrollment.close(issuedRecord(wanted, { now: wanted.leaseUntil + hour }));
  });
});
