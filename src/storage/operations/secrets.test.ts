import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isSallyportError } from '#errors';
import {
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  importDevices,
  intent,
  issue,
  mac,
  newSecret,
  now,
  observeQuery,
  openStores,
  verifiedIds,
} from '../storage.fixture.ts';

suite('creating a secret', () => {
  test('keeps it live, its MAC unread by operators', async (t) => {
    const { admin, log } = openStores(t);
    await importDevices(admin, device('d1'));
    const secret = newSecret('s1', 'd1', { expected: { subject: [], subjectAltName: null } });
    assert.deepEqual(await admin.createSecret({ secret, entry: entry('create') }), { index: 1 });
    const { mac: _, ...shown } = secret;
    assert.deepEqual(await admin.secrets({ limit: 9 }), [{ ...shown, state: 'live' }]);
    assert.deepEqual(await verifiedIds(log), ['import', 'create']);
  });

  test('for no device yet is for the one that first reserves it, and for no other', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await createSecret(admin, newSecret('s1', null));
    const asking = (id: string, deviceId: string) =>
      intent(id, deviceId, {
        spki: digest(deviceId),
        requestSpki: digest(deviceId),
        secret: { id: 's1', state: 'live' },
      });
    assert.deepEqual(
      (
        await Promise.all([enrollment.reserve(asking('i1', 'd1')), enrollment.reserve(asking('i2', 'd2'))])
      ).sort(),
      ['conflict', 'reserved'],
    );
    const [secret] = await admin.secrets({ limit: 9 });
    assert.equal(secret?.state, 'reserved');
    const other = observeQuery({ secretMacs: [mac('s1')], identity: { column: 'id', value: 'd2' } });
    assert.equal((await enrollment.observe(other)).device?.id, secret.deviceId);
  });

  test('for no device yet keeps it live, and no device lists it', async (t) => {
    const { admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', null));
    const listed = await admin.secrets({ limit: 9 });
    assert.deepEqual(
      listed.map(({ deviceId, state }) => ({ deviceId, state })),
      [{ deviceId: null, state: 'live' }],
    );
    assert.deepEqual(await admin.secrets({ limit: 9, deviceId: 'd1' }), []);
  });

  test('for an unknown device is not found; with an id or MAC that is there, a conflict', async (t) => {
    const { admin, log } = openStores(t);
    await assert.rejects(createSecret(admin, newSecret('s1', 'd1')), (error) =>
      isSallyportError(error, 'not-found'),
    );
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const isConflict = (error: unknown) => isSallyportError(error, 'conflict');
    await assert.rejects(createSecret(admin, newSecret('s1', 'd1', { mac: mac('other') })), isConflict);
    await assert.rejects(createSecret(admin, newSecret('s2', 'd1', { mac: mac('s1') })), isConflict);
    assert.deepEqual(await verifiedIds(log), ['import', 'create s1']);
  });
});

test('secrets for no device yet are so many at once, of one maker and template', async (t) => {
  const { admin, log } = openStores(t);
  await importDevices(admin, device('d1'));
  const make = (id: string, changes: Partial<Parameters<typeof newSecret>[2]> = {}) =>
    admin.createUnboundSecret({
      secret: newSecret(id, null, { by: 'machine:mdm', ...changes }),
      maximumLive: 2,
      entry: entry(id),
    });
  const isConflict = (error: unknown) => isSallyportError(error, 'conflict');
  await createSecret(admin, newSecret('bound', 'd1', { by: 'machine:mdm' }));
  await make('u1', { expiresAt: now + 10 });
  await make('u2');
  const { size } = await log.head();
  await assert.rejects(make('u3'), isConflict);
  assert.equal((await log.head()).size, size);
  await make('other-template', { template: 'iot' });
  await make('other-maker', { by: 'machine:nac' });
  // One that has expired is no longer live, nor is one that is void.
  await make('u4', { createdAt: now + 10, expiresAt: now + 99 });
  await assert.rejects(make('u5', { createdAt: now + 10, expiresAt: now + 99 }), isConflict);
  await admin.voidSecret({ id: 'u2', now, entry: entry('void') });
  await make('u6', { createdAt: now + 10, expiresAt: now + 99 });
});

suite('listing secrets', () => {
  test('goes by age in pages, and by device and state', async (t) => {
    const { admin } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await createSecret(admin, newSecret('c', 'd1', { createdAt: now - 2 }));
    await createSecret(admin, newSecret('b', 'd2', { createdAt: now - 1 }));
    await createSecret(admin, newSecret('d', 'd1', { createdAt: now - 1 }));
    await createSecret(admin, newSecret('a', 'd1', { createdAt: now }));
    await admin.voidSecret({ id: 'd', now, entry: entry('void') });
    const ids = async (filter: Parameters<typeof admin.secrets>[0]) =>
      (await admin.secrets(filter)).map(({ id }) => id);
    assert.deepEqual(await ids({ limit: 2 }), ['c', 'b']);
    assert.deepEqual(await ids({ limit: 2, after: 'b' }), ['d', 'a']);
    assert.deepEqual(await ids({ limit: 9, after: 'a' }), []);
    assert.deepEqual(await ids({ limit: 9, deviceId: 'd1' }), ['c', 'd', 'a']);
    assert.deepEqual(await ids({ limit: 9, deviceId: 'd1', after: 'c' }), ['d', 'a']);
    assert.deepEqual(await ids({ limit: 9, state: 'void' }), ['d']);
    assert.deepEqual(await ids({ limit: 9, deviceId: 'd2', state: 'void' }), []);
  });
});

suite('voiding a secret', () => {
  test('ends a live and a reserved one, each once', async (t) => {
    const { admin, enrollment } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('live', 'd1'));
    await createSecret(admin, newSecret('reserved', 'd1'));
    await enrollment.hold(holdRecord('r1', 'd1', { secretId: 'reserved' }));
    for (const id of ['live', 'reserved']) {
      await admin.voidSecret({ id, now, entry: entry(`void ${id}`) });
      await assert.rejects(admin.voidSecret({ id, now, entry: entry('again') }), (error) =>
        isSallyportError(error, 'conflict'),
      );
    }
    assert.deepEqual(
      (await admin.secrets({ limit: 9 })).map(({ state }) => state),
      ['void', 'void'],
    );
  });

  test('spent or unknown is refused without an entry', async (t) => {
    const { admin, enrollment, log } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    await issue(enrollment, intent('i1', 'd1', { secret: { id: 's1', state: 'live' } }));
    const voided = (id: string) => admin.voidSecret({ id, now, entry: entry('void') });
    await assert.rejects(voided('s1'), (error) => isSallyportError(error, 'conflict'));
    await assert.rejects(voided('s9'), (error) => isSallyportError(error, 'not-found'));
    assert.deepEqual(await verifiedIds(log), ['import', 'create s1', 'i1']);
  });
});
