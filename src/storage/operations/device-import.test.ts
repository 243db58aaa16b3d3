import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { isSallyportError } from '#errors';
import { run } from '../operation.ts';
import { statement } from '../statement.ts';
import {
  approve,
  createSecret,
  device,
  digest,
  entry,
  importDevices,
  intent,
  issue,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  verifiedIds,
} from '../storage.fixture.ts';

const dispute = statement((database, p: { key: string }) =>
  database.updateTable('device').set({ ek_disputed: p.key }),
);

suite('importing devices', () => {
  test('creates those that are new and changes the others, their state excepted', async (t) => {
    const { admin } = openStores(t);
    const first = { devices: [device('d1'), device('d2', { state: 'active' })], approve: null, now };
    assert.deepEqual(await admin.importDevices({ ...first, entry: entry('one') }), {
      index: 0,
      created: 2,
      updated: 0,
      approved: 0,
    });
    const changed = device('d2', { serialNumber: null, deviceClass: 'phone', owner: 'bob', identifiers: {} });
    const second = { devices: [changed, device('d3')], approve: null, now: now + 5 };
    assert.deepEqual(await admin.importDevices({ ...second, entry: entry('two') }), {
      index: 1,
      created: 1,
      updated: 1,
      approved: 0,
    });
    assert.deepEqual(await admin.device('d2'), {
      ...changed,
      state: 'active',
      createdAt: now,
      updatedAt: now + 5,
    });
    assert.deepEqual(await admin.device('d1'), { ...device('d1'), createdAt: now, updatedAt: now });
    assert.equal(await admin.device('d9'), null);
  });

  test('approves beforehand in the same act', async (t) => {
    const { admin, enrollment } = openStores(t);
    const approve = { approvals: [newApproval('a1', 'd1')] };
    await admin.importDevices({ devices: [device('d1')], approve, now, entry: entry('import') });
    await createSecret(admin, newSecret('s1', 'd1'));
    const { approval } = await enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }));
    assert.equal(approval?.id, 'a1');
  });

  test('with a serial number that another device has is a conflict: nothing is imported', async (t) => {
    const { admin, log } = openStores(t);
    await importDevices(admin, device('d1', { serialNumber: 'X' }));
    const devices = [device('d2'), device('d3', { serialNumber: 'X' })];
    await assert.rejects(
      admin.importDevices({ devices, approve: null, now, entry: entry('two') }),
      (error) =>
        isSallyportError(error, 'conflict') && error.message.includes('d1') && error.message.includes('d3'),
    );
    assert.equal(await admin.device('d2'), null);
    assert.deepEqual(await verifiedIds(log), ['import']);
  });

  test('allows many devices without a serial number, absent or empty', async (t) => {
    const { admin } = openStores(t);
    const without = [null, null, '', ''].map((serialNumber, i) => device(`d${i}`, { serialNumber }));
    const { created } = await admin.importDevices({
      devices: without,
      approve: null,
      now,
      entry: entry('import'),
    });
    assert.equal(created, 4);
  });

  test('with an approval for an unknown or retired device imports nothing', async (t) => {
    const { admin } = openStores(t);
    await importDevices(admin, device('retired'));
    await admin.setDeviceState({ id: 'retired', state: 'retired', now, entry: entry('retire') });
    for (const [id, code] of [
      ['unknown', 'not-found'],
      ['retired', 'conflict'],
    ] as const) {
      const approve = { approvals: [newApproval('a1', id)] };
      await assert.rejects(
        admin.importDevices({ devices: [device('d1')], approve, now, entry: entry('two') }),
        (error) => isSallyportError(error, code),
      );
      assert.equal(await admin.device('d1'), null);
    }
  });
});

suite('approvals beforehand', () => {
  async function openImport(t: TestContext) {
    const { admin, enrollment } = openStores(t);
    let at = 0;
    return {
      admin,
      enrollment,
      async importWith(...approvals: readonly string[]) {
        at += 1;
        return admin.importDevices({
          devices: [device('d1')],
          approve: { approvals: approvals.map((id) => newApproval(id, 'd1')) },
          now,
          entry: entry(`import ${at}`),
        });
      },
      /** Whether an enrollment of d1 with a key of its own can use it. */
      async isUsable(approvalId: string) {
        const id = `intent for ${approvalId}`;
        return (await enrollment.reserve(intent(id, 'd1', { spki: digest(id), approvalId }))) === 'reserved';
      },
    };
  }

  test('of the same list imported again take the place of those that are open', async (t) => {
    const { importWith, isUsable } = await openImport(t);
    for (const id of ['a1', 'a2', 'a3']) assert.equal((await importWith(id)).approved, 1);
    assert.deepEqual(
      [await isUsable('a1'), await isUsable('a2'), await isUsable('a3')],
      [false, false, true],
    );
  });

  test('void neither one for a key nor one for another template', async (t) => {
    const { admin, importWith, isUsable, enrollment } = await openImport(t);
    await importWith();
    await approve(admin, newApproval('for key', 'd1', { spki: digest('intent for for key') }));
    await approve(admin, newApproval('for other', 'd1', { template: 'other' }));
    await importWith('a1');
    assert.equal(await isUsable('for key'), true);
    const other = intent('i', 'd1', { template: 'other', approvalId: 'for other' });
    assert.equal(await enrollment.reserve(other), 'reserved');
  });

  test('are not given to a device that is active already', async (t) => {
    const { enrollment, importWith, isUsable } = await openImport(t);
    await importWith('a1');
    await issue(enrollment, intent('i1', 'd1', { approvalId: 'a1' }));
    assert.equal((await importWith('a2')).approved, 0);
    assert.equal(await isUsable('a2'), false);
  });

  test('given one by one: the newer takes the place of the older', async (t) => {
    const { admin, importWith, isUsable } = await openImport(t);
    await importWith();
    for (const id of ['a1', 'a2']) await approve(admin, newApproval(id, 'd1'));
    assert.deepEqual([await isUsable('a1'), await isUsable('a2')], [false, true]);
  });
});

suite('endorsement keys', () => {
  const key = (digit: string) => digit.repeat(64);
  const one = { identifiers: { ekSha256: key('1') } };
  const two = { identifiers: { ekSha256: key('2') } };

  test('each is of one device: another one with it is a conflict, and nothing is imported', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1', one));
    await assert.rejects(importDevices(admin, device('d3'), device('d2', one)), (error) =>
      isSallyportError(error, 'conflict'),
    );
    assert.equal(await admin.device('d3'), null);
    assert.equal((await enrollment.deviceOfEndorsementKey(key('1'))).deviceId, 'd1');
    assert.equal((await enrollment.deviceOfEndorsementKey(key('2'))).deviceId, null);
    assert.deepEqual((await admin.compareDevices([device('d2', one), device('d1', one)])).conflicts, [
      { id: 'd2', column: 'ekSha256', value: key('1'), heldBy: 'd1' },
    ]);
  });

  test('goes from one device to another of the same list, in its order', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1', one));
    await importDevices(admin, device('d1', two), device('d2', one));
    assert.equal((await enrollment.deviceOfEndorsementKey(key('1'))).deviceId, 'd2');
    assert.equal((await enrollment.deviceOfEndorsementKey(key('2'))).deviceId, 'd1');
    await importDevices(admin, device('d2'));
    assert.equal((await enrollment.deviceOfEndorsementKey(key('1'))).deviceId, null);
  });

  test('that an earlier version had of several is of none, until one of them is imported again', async (t) => {
    const { admin, enrollment, query } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'), device('d3'));
    await query(run(dispute, { key: key('1') }));
    assert.deepEqual(await enrollment.deviceOfEndorsementKey(key('1')), { deviceId: null, disputing: 3 });
    assert.deepEqual(await enrollment.deviceOfEndorsementKey(key('2')), { deviceId: null, disputing: 0 });
    await importDevices(admin, device('d1'));
    assert.deepEqual(await enrollment.deviceOfEndorsementKey(key('1')), { deviceId: null, disputing: 2 });
    await importDevices(admin, device('d2', one));
    assert.deepEqual(await enrollment.deviceOfEndorsementKey(key('1')), { deviceId: 'd2' });
    await assert.rejects(importDevices(admin, device('d3', one)), (error) =>
      isSallyportError(error, 'conflict'),
    );
  });

  test('twice in one act is a conflict', async (t) => {
    const { admin } = openStores(t);
    await assert.rejects(importDevices(admin, device('d1', one), device('d2', one)), (error) =>
      isSallyportError(error, 'conflict'),
    );
  });
});

suite('comparing devices', () => {
  test('tells which ids exist and in what state, and which serial numbers another id has', async (t) => {
    const { admin } = openStores(t);
    const active = device('d2', { serialNumber: '', state: 'active' });
    await importDevices(admin, device('d1', { serialNumber: 'X' }), active);
    const devices = [
      device('d1', { serialNumber: 'X' }),
      device('d2', { serialNumber: 'X' }),
      device('d3', { serialNumber: '' }),
      device('d4', { serialNumber: null }),
    ];
    assert.deepEqual(await admin.compareDevices(devices), {
      existing: [
        { id: 'd1', state: 'expected' },
        { id: 'd2', state: 'active' },
      ],
      conflicts: [{ id: 'd2', column: 'serialNumber', value: 'X', heldBy: 'd1' }],
    });
  });
});
