import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { NewMachine } from '#admin';
import { isSallyportError } from '#errors';
import {
  createSecret,
  device,
  digest,
  entry,
  hour,
  importDevices,
  mac,
  newSecret,
  now,
  openStores,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';
import { endMachineCredentials } from './machines.ts';

type Admin = Stores['admin'];

const isConflict = (error: unknown) => isSallyportError(error, 'conflict');

function newMachine(name: string, changes: Partial<NewMachine> = {}): NewMachine {
  return {
    name,
    scopes: ['secrets:create'],
    templates: ['device'],
    sources: null,
    createdAt: now,
    by: 'ada',
    ...changes,
  };
}

function create(admin: Admin, name: string, token: string, changes: Partial<NewMachine> = {}) {
  return admin.createMachine({
    machine: newMachine(name, changes),
    token: { hash: mac(token), expiresAt: now + hour },
    entry: entry(`create ${name}`),
  });
}

const byToken = async (admin: Admin, token: string) =>
  (await admin.recogniseMachine({ tokenHash: mac(token), certificate: null })).byToken;
const byCertificate = async (admin: Admin, certificate: string) =>
  (await admin.recogniseMachine({ tokenHash: null, certificate: digest(certificate) })).byCertificate;
const pin = (admin: Admin, name: string, certificate: string, instead = false) =>
  admin.pinCertificate({
    name,
    sha256: digest(certificate),
    instead,
    now,
    entry: entry(`pin ${certificate}`),
  });

suite('a machine', () => {
  test('is found by the hash of its token, with all that it may do', async (t) => {
    const { admin, log } = openStores(t);
    const may = { scopes: ['secrets:list', 'secrets:void'], sources: ['192.0.2.0/24'] } as const;
    assert.deepEqual(await create(admin, 'mdm', 'one', { ...may, templates: ['device', 'iot'] }), {
      index: 0,
    });
    assert.deepEqual(await byToken(admin, 'one'), {
      machine: { name: 'mdm', ...may, templates: ['device', 'iot'] },
      revoked: false,
      expiresAt: now + hour,
    });
    assert.equal(await byToken(admin, 'two'), null);
    assert.deepEqual(await verifiedIds(log), ['create mdm']);
  });

  test('has a name and a token of its own', async (t) => {
    const { admin, log } = openStores(t);
    await create(admin, 'mdm', 'one');
    await assert.rejects(create(admin, 'mdm', 'two'), isConflict);
    await assert.rejects(create(admin, 'nac', 'one'), isConflict);
    assert.equal((await log.head()).size, 1);
  });

  test('is listed by name in pages, with what it can still prove itself by', async (t) => {
    const { admin } = openStores(t);
    await create(admin, 'nac', 'n');
    await create(admin, 'mdm', 'm');
    await pin(admin, 'mdm', 'c');
    const listed = await admin.machines({ now, limit: 9 });
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['mdm', 'nac'],
    );
    assert.deepEqual(listed[0], {
      ...newMachine('mdm'),
      revokedAt: null,
      tokens: [{ createdAt: now, expiresAt: now + hour }],
      certificates: [digest('c')],
    });
    assert.deepEqual(await admin.machines({ after: 'mdm', now, limit: 9 }), listed.slice(1));
    assert.deepEqual(await admin.machines({ now, limit: 1 }), listed.slice(0, 1));
    assert.deepEqual((await admin.machines({ now: now + hour, limit: 1 }))[0]?.tokens, []);
  });

  test('that nobody created is not found', async (t) => {
    const { admin, log } = openStores(t);
    const isNotFound = (error: unknown) => isSallyportError(error, 'not-found');
    const token = { hash: mac('t'), expiresAt: now + hour };
    const act = { name: 'mdm', now, entry: entry('act') };
    await assert.rejects(admin.rotateMachine({ ...act, token, othersUntil: now }), isNotFound);
    await assert.rejects(pin(admin, 'mdm', 'c'), isNotFound);
    await assert.rejects(admin.revokeMachine(act), isNotFound);
    assert.equal((await log.head()).size, 0);
  });
});

suite('rotating a token', () => {
  test('ends the others after the overlap, and prolongs none', async (t) => {
    const { admin } = openStores(t);
    await create(admin, 'mdm', 'one');
    await create(admin, 'nac', 'other');
    const rotate = (token: string, othersUntil: number) =>
      admin.rotateMachine({
        name: 'mdm',
        token: { hash: mac(token), expiresAt: now + 9 * hour },
        othersUntil,
        now,
        entry: entry(`rotate ${token}`),
      });
    await rotate('two', now + 2 * hour);
    assert.equal((await byToken(admin, 'one'))?.expiresAt, now + hour);
    await rotate('three', now + 60);
    assert.equal((await byToken(admin, 'one'))?.expiresAt, now + 60);
    assert.equal((await byToken(admin, 'two'))?.expiresAt, now + 60);
    assert.equal((await byToken(admin, 'three'))?.expiresAt, now + 9 * hour);
    assert.equal((await byToken(admin, 'other'))?.expiresAt, now + hour);
  });
});

suite('pinning a certificate', () => {
  test('adds it, or takes the place of the others', async (t) => {
    const { admin } = openStores(t);
    await create(admin, 'mdm', 'one');
    await pin(admin, 'mdm', 'a');
    await pin(admin, 'mdm', 'b');
    assert.equal((await byCertificate(admin, 'a'))?.unpinnedAt, null);
    await pin(admin, 'mdm', 'c', true);
    assert.equal((await byCertificate(admin, 'a'))?.unpinnedAt, now);
    assert.equal((await byCertificate(admin, 'b'))?.unpinnedAt, now);
    assert.deepEqual(await byCertificate(admin, 'c'), {
      machine: (await byToken(admin, 'one'))?.machine,
      revoked: false,
      unpinnedAt: null,
    });
    assert.equal(await byCertificate(admin, 'd'), null);
  });

  test('is done once with each certificate, for one machine', async (t) => {
    const { admin, log } = openStores(t);
    await create(admin, 'mdm', 'one');
    await create(admin, 'nac', 'two');
    await pin(admin, 'mdm', 'a');
    await assert.rejects(pin(admin, 'nac', 'a'), isConflict);
    await assert.rejects(pin(admin, 'mdm', 'a'), isConflict);
    await pin(admin, 'mdm', 'b', true);
    await assert.rejects(pin(admin, 'mdm', 'a', true), isConflict);
    assert.equal((await byCertificate(admin, 'b'))?.unpinnedAt, null);
    assert.equal((await log.head()).size, 4);
  });
});

suite('revoking a machine', () => {
  test('ends all its credentials, for ever, and keeps its name', async (t) => {
    const { admin, log } = openStores(t);
    await create(admin, 'mdm', 'one');
    await create(admin, 'nac', 'other');
    await pin(admin, 'mdm', 'a');
    const revoke = () => admin.revokeMachine({ name: 'mdm', now, entry: entry('revoke') });
    await revoke();
    const token = await byToken(admin, 'one');
    assert.deepEqual([token?.revoked, token?.expiresAt], [true, now]);
    const pinned = await byCertificate(admin, 'a');
    assert.deepEqual([pinned?.revoked, pinned?.unpinnedAt], [true, now]);
    assert.equal((await byToken(admin, 'other'))?.revoked, false);
    const [listed] = await admin.machines({ now, limit: 1 });
    assert.deepEqual([listed?.revokedAt, listed?.tokens, listed?.certificates], [now, [], []]);

    const size = (await log.head()).size;
    await assert.rejects(revoke(), isConflict);
    await assert.rejects(pin(admin, 'mdm', 'b'), isConflict);
    const rotated = { name: 'mdm', token: { hash: mac('two'), expiresAt: now + hour } };
    await assert.rejects(
      admin.rotateMachine({ ...rotated, othersUntil: now, now, entry: entry('rotate') }),
      isConflict,
    );
    await assert.rejects(create(admin, 'mdm', 'three'), isConflict);
    assert.equal((await log.head()).size, size);
  });
});

test('a restore ends the credentials of every machine', async (t) => {
  const { admin, query } = openStores(t);
  await create(admin, 'mdm', 'one');
  await create(admin, 'nac', 'two');
  await pin(admin, 'nac', 'a');
  assert.equal(await query(endMachineCredentials(now + 1)), 3);
  assert.equal((await byToken(admin, 'one'))?.expiresAt, now + 1);
  assert.equal((await byCertificate(admin, 'a'))?.unpinnedAt, now + 1);
  assert.equal(await query(endMachineCredentials(now + 2)), 0);
});

test('secrets are listed by the machine that made them, by age, state and device', async (t) => {
  const { admin } = openStores(t);
  await importDevices(admin, device('d1'), device('d2'));
  const made = (id: string, deviceId: string | null, by: string, age: number) =>
    createSecret(admin, newSecret(id, deviceId, { by, createdAt: now - age }));
  await made('s1', 'd1', 'machine:mdm', 4);
  await made('s2', 'd1', 'ada', 3);
  await made('s3', 'd2', 'machine:mdm', 2);
  await made('s4', null, 'machine:mdm', 1);
  await made('s5', 'd1', 'machine:mdm2', 0);
  await admin.voidSecret({ id: 's3', now, entry: entry('void') });
  const ids = async (filter: Omit<Parameters<Admin['secretsOfMachine']>[0], 'by' | 'limit'>) =>
    (await admin.secretsOfMachine({ by: 'machine:mdm', limit: 2, ...filter })).map(({ id }) => id);
  assert.deepEqual(await ids({}), ['s1', 's3']);
  assert.deepEqual(await ids({ after: 's3' }), ['s4']);
  assert.deepEqual(await ids({ state: 'void' }), ['s3']);
  assert.deepEqual(await ids({ deviceId: 'd1' }), ['s1']);
  assert.deepEqual(await admin.secretsOfMachine({ by: 'ada', limit: 9 }), []);
  assert.deepEqual(
    await admin.secret('s1'),
    (await admin.secrets({ limit: 9 })).find(({ id }) => id === 's1'),
  );
  assert.equal(await admin.secret('s9'), null);
});
