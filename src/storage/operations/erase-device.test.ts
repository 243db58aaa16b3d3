import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AdminStore } from '#admin';
import { blobOf } from '#audit';
import { isSallyportError } from '#errors';
import {
  allOf,
  approve,
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issuedRecord,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  mac,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';

type Erasing = Parameters<AdminStore['eraseDevice']>[0];

const document = (id: string) => blobOf(Buffer.alloc(16, 1), Buffer.from(`{"/detail/device":"${id}"}`));
const conflict = (error: unknown) => isSallyportError(error, 'conflict');

/** A device with a past: entries 1 to 5 are its own, 0 and 6 are of another. */
async function withPast(stores: Stores): Promise<Erasing> {
  const { admin, enrollment, log } = stores;
  await importDevices(admin, device('ida'), device('eva'));
  await createSecret(admin, newSecret('s1', 'ida', { expected: { subject: [], subjectAltName: null } }));
  await approve(admin, newApproval('p1', 'ida'));
  const polled = {
    signer: digest('key'),
    transaction: digest('t'),
    address: document('ida').address,
    secretId: 's1',
    challenge: null,
  };
  await enrollment.hold({ ...holdRecord('r1', 'ida'), polled, entry: entry('held', [document('ida')]) });
  const wanted = intent('i1', 'ida');
  assert.equal(await enrollment.reserve(wanted), 'reserved');
  await enrollment.close({
    ...issuedRecord(wanted),
    entry: entry('issued', [document('ida'), blobOf(Buffer.alloc(16), Buffer.from('csr'))]),
  });
  const { sha256 } = issuedRecord(wanted).certificate;
  await admin.revokeCertificate({ sha256, reason: 1, now, entry: entry('revoked') });
  await enrollment.record(entry('eva', [document('eva')]));
  await admin.setDeviceState({
    id: 'ida',
    state: 'retired',
    now,
    entry: entry('retired', [document('ida')]),
  });
  const { size } = await log.head();
  return {
    id: 'ida',
    as: 'E-1',
    entries: [
      {
        log: 0,
        indexes: [
          [3, 4],
          [7, 7],
        ],
      },
    ],
    blobs: 4,
    lookedThrough: size,
    now: now + 1,
    acts: [entry('A-1'), entry('A-2')],
  };
}

/** All that the database holds of it. */
async function everything({ admin, log }: Stores): Promise<string> {
  const all = { limit: 100, now };
  const certificates = await admin.certificates(all);
  const whole = await Promise.all(certificates.map(({ sha256 }) => admin.certificateInfo(sha256)));
  const { size } = await log.head();
  const found = [
    await admin.devices(all),
    await admin.secrets(all),
    await admin.requests(all),
    whole.map((each) => ({ ...each, der: Buffer.from(each!.der).toString() })),
    (await log.blobs(0, size)).map(({ index, bytes }) => `${index} ${Buffer.from(bytes).toString()}`),
  ];
  return JSON.stringify(found);
}

suite('erasing a device', () => {
  test('ends what its TPM was asked to prove', async (t) => {
    const stores = openStores(t);
    const { admin, enrollment } = stores;
    const erasing = await withPast(stores);
    await enrollment.giveActivation({
      deviceId: 'ida',
      template: 'ak',
      mac: mac('activation'),
      macKeyId: 'k1',
      source: '192.0.2.1',
      message: Buffer.from('ida'),
      spki: Uint8Array.of(1),
      examination: { sha256: '', format: 'endorsement', fault: null, certificates: [], statement: null },
      expiresAt: now + 1,
      entry: entry('activation'),
    });
    await admin.eraseDevice(erasing);
    assert.equal(await enrollment.takeActivation({ macs: [mac('activation')], template: 'ak' }), null);
  });

  test('ends what was counted of its questions to verifiers, and of no other device', async (t) => {
    const stores = openStores(t);
    const limit = { burst: 2, count: 2, periodSeconds: 7 };
    const spent = async (deviceId: string) =>
      (await stores.enrollment.spendVerifierRate({ deviceId, credential: 'secret s1', limit, now })).tat;
    for (const id of ['ida', 'ida2']) assert.equal(await spent(id), null);
    await stores.admin.eraseDevice(await withPast(stores));
    assert.equal(await spent('ida'), null);
    assert.notEqual(await spent('ida2'), null);
  });

  test('takes its name, its documents and the bytes of its certificates away, and leaves what others rely on', async (t) => {
    const stores = openStores(t);
    const { admin, log } = stores;
    const erasing = await withPast(stores);
    const revokedBefore = await allOf(admin.revoked('issuing', now));
    const [before] = await admin.certificates({ limit: 1, now });
    assert.match(await everything(stores), /ida/);

    const { index, certificates } = await admin.eraseDevice(erasing);
    assert.deepEqual([index, certificates], [erasing.lookedThrough, 1]);
    assert.doesNotMatch(await everything(stores), /ida|csr|DER of/);
    assert.match(await everything(stores), /6 \{\\"\/detail\/device\\":\\"eva\\"\}/);
    const { log: _log, ...nameless } = { ...before!, deviceId: 'E-1' };
    const after = await admin.certificateInfo(before!.sha256);
    assert.deepEqual({ ...after, der: null }, { ...nameless, log: 0, der: null });
    assert.equal(after!.der.length, 0);
    assert.deepEqual(await allOf(admin.revoked('issuing', now)), revokedBefore);
    assert.equal(await admin.device('ida'), null);
    const { state, deviceClass, serialNumber, identifiers } = (await admin.device('E-1'))!;
    assert.deepEqual([state, deviceClass, serialNumber, identifiers], ['retired', 'laptop', null, {}]);
    assert.equal(await stores.enrollment.certificate(before!.sha256), null);
    assert.deepEqual((await verifiedIds(log)).slice(-2), ['A-1', 'A-2']);
  });

  test('leaves no more to the id than to one that never was', async (t) => {
    const stores = openStores(t);
    const { admin, enrollment } = stores;
    await admin.eraseDevice(await withPast(stores));
    await importDevices(admin, device('ida'));
    assert.equal((await admin.device('ida'))!.state, 'expected');
    const query = observeQuery({ userName: 'ida', secretMacs: [mac('s1')] });
    const seen = await enrollment.observe(query);
    assert.equal(seen.secret?.deviceId, 'E-1');
    assert.equal(seen.device?.state, 'retired');
    const asked = observeQuery({ presenterSha256: digest('certificate of i1') });
    assert.equal((await enrollment.observe(asked)).presenter?.deviceId, 'E-1');
    assert.deepEqual(await admin.certificates({ deviceId: 'ida', limit: 1, now }), []);
  });

  for (const [what, change] of [
    ['an unknown device', async () => ({ id: 'nobody' })],
    ['one that is not retired', async () => ({ id: 'eva' })],
    ['where less is beside its entries than was seen', async () => ({ blobs: 5 })],
    ['where more is', async () => ({ blobs: 3 })],
    [
      'where an entry that names it came meanwhile',
      async ({ enrollment }: Stores) => {
        await enrollment.record(entry('late', [document('ida')]));
        return {};
      },
    ],
    ['under an id that is taken', async () => ({ as: 'eva' })],
    ['without an act', async () => ({ acts: [] })],
  ] as const) {
    test(`is refused for ${what}, and nothing is changed`, async (t) => {
      const stores = openStores(t);
      const erasing = await withPast(stores);
      const changes: Partial<Erasing> = await change(stores);
      const before = await everything(stores);
      await assert.rejects(stores.admin.eraseDevice({ ...erasing, ...changes }), (error) =>
        isSallyportError(error, 'conflict', 'not-found', 'internal'),
      );
      assert.equal(await everything(stores), before);
    });
  }

  test('is not held up by entries of others', async (t) => {
    const stores = openStores(t);
    const erasing = await withPast(stores);
    await stores.enrollment.record(entry('late', [document('ida-2'), document('eva')]));
    await stores.admin.eraseDevice(erasing);
  });

  test('waits for a certificate that is being signed', async (t) => {
    const stores = openStores(t);
    const { admin, enrollment } = stores;
    await importDevices(admin, device('ida'));
    assert.equal(await enrollment.reserve(intent('i1', 'ida')), 'reserved');
    await admin.setDeviceState({ id: 'ida', state: 'retired', now, entry: entry('retired') });
    const erasing = {
      id: 'ida',
      as: 'E-1',
      entries: [],
      blobs: 0,
      lookedThrough: 2,
      now,
      acts: [entry('A-1')],
    };
    await assert.rejects(admin.eraseDevice(erasing), conflict);
    await admin.abandonIntent({ id: 'i1', now, entry: entry('swept') });
    await admin.eraseDevice(erasing);
    assert.equal((await allOf(admin.revoked('issuing', now))).length, 1);
  });
});
