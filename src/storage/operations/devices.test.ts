import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
  approve,
  createSecret,
  device,
  entry,
  holdRecord,
  importDevices,
  newApproval,
  newSecret,
  now,
  openStores,
  verifiedIds,
} from '../storage.fixture.ts';

suite('listing devices', () => {
  test('goes by id in pages, and by state and class', async (t) => {
    const { admin } = openStores(t);
    await importDevices(
      admin,
      device('d3'),
      device('d1', { state: 'active' }),
      device('d2', { deviceClass: 'phone' }),
      device('d4', { deviceClass: 'phone', state: 'active' }),
    );
    const ids = async (filter: Parameters<typeof admin.devices>[0]) =>
      (await admin.devices(filter)).map(({ id }) => id);
    assert.deepEqual(await ids({ limit: 3 }), ['d1', 'd2', 'd3']);
    assert.deepEqual(await ids({ limit: 3, after: 'd3' }), ['d4']);
    assert.deepEqual(await ids({ limit: 9, state: 'active' }), ['d1', 'd4']);
    assert.deepEqual(await ids({ limit: 9, deviceClass: 'phone' }), ['d2', 'd4']);
    assert.deepEqual(await ids({ limit: 9, deviceClass: 'phone', state: 'active' }), ['d4']);
  });
});

suite('the state of a device', () => {
  test('is set with its entry', async (t) => {
    const { admin, log } = openStores(t);
    await importDevices(admin, device('d1'));
    const act = { id: 'd1', state: 'suspended', now: now + 1, entry: entry('suspend') } as const;
    assert.deepEqual(await admin.setDeviceState(act), { index: 1 });
    const stored = await admin.device('d1');
    assert.equal(stored?.state, 'suspended');
    assert.equal(stored.updatedAt, now + 1);
    assert.deepEqual(await verifiedIds(log), ['import', 'suspend']);
  });

  test('of an unknown device is not found', async (t) => {
    const { admin, log } = openStores(t);
    await assert.rejects(
      admin.setDeviceState({ id: 'd1', state: 'active', now, entry: entry('activate') }),
      (error) => isSallyportError(error, 'not-found'),
    );
    assert.equal((await log.head()).size, 0);
  });

  test('retired voids secrets and approvals and denies requests, of this device only', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    for (const id of ['d1', 'd2']) {
      await createSecret(admin, newSecret(`live ${id}`, id));
      await createSecret(admin, newSecret(`reserved ${id}`, id));
      await approve(admin, newApproval(`approval ${id}`, id));
      await enrollment.hold(holdRecord(`request ${id}`, id, { secretId: `reserved ${id}` }));
    }
    await admin.setDeviceState({ id: 'd1', state: 'retired', now: now + 1, entry: entry('retire') });
    const states = Object.fromEntries(
      (await admin.secrets({ limit: 9 })).map(({ id, state }) => [id, state]),
    );
    assert.deepEqual(states, {
      'live d1': 'void',
      'reserved d1': 'void',
      'live d2': 'live',
      'reserved d2': 'reserved',
    });
    const denied = await admin.request('request d1');
    assert.equal(denied?.state, 'denied');
    assert.equal(denied.decidedAt, now + 1);
    assert.equal((await admin.request('request d2'))?.state, 'pending');
  });

  test('retired leaves no way to a new secret or approval', async (t) => {
    const { admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await admin.setDeviceState({ id: 'd1', state: 'retired', now, entry: entry('retire') });
    const isConflict = (error: unknown) => isSallyportError(error, 'conflict');
    await assert.rejects(createSecret(admin, newSecret('s1', 'd1')), isConflict);
    await assert.rejects(approve(admin, newApproval('a1', 'd1')), isConflict);
  });
});

suite('approving a device', () => {
  test('that is not there is not found', async (t) => {
    const { admin } = openStores(t);
    await assert.rejects(approve(admin, newApproval('a1', 'd1')), (error) =>
      isSallyportError(error, 'not-found'),
    );
  });

  test('under an id that is taken is a conflict', async (t) => {
    const { admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await approve(admin, newApproval('a1', 'd1'));
    await assert.rejects(approve(admin, newApproval('a1', 'd1')), (error) =>
      isSallyportError(error, 'conflict'),
    );
  });
});

test('a device is found by its serial number, and none by an empty one', async (t) => {
  const { admin } = openStores(t);
  await importDevices(
    admin,
    device('d1'),
    device('d2', { serialNumber: null }),
    device('d3', { serialNumber: '' }),
  );
  assert.equal((await admin.deviceBySerialNumber('SN-d1'))?.id, 'd1');
  assert.equal(await admin.deviceBySerialNumber('SN-d2'), null);
  assert.equal(await admin.deviceBySerialNumber(''), null);
});
