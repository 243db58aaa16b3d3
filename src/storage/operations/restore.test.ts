import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { blobOf, CompactRange, treeRoot } from '#audit';
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
  issue,
  issuedRecord,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  origin,
  type Stores,
  verifiedIds,
} from '../storage.fixture.ts';
import { type Afterwards, type LostCertificate, restore } from './restore.ts';

const next = `${origin}/restored-20261122-abcdefgh`;
const none: Afterwards = { lost: [], revoked: [], stopped: [], crlNumbers: [] };

async function restored(stores: Stores, afterwards: Partial<Afterwards> = {}, name = next) {
  let count = 0;
  const told: { event: string; detail: Readonly<Record<string, unknown>> }[] = [];
  const result = await stores.query(
    restore({
      origin: name,
      note: `note of ${origin}`,
      now,
      afterwards: { ...none, ...afterwards },
      detail: { log: 'key' },
      more: [],
      entryOf(event, detail) {
        told.push({ event, detail });
        return entry(`${name} ${(count += 1)}`);
      },
    }),
  );
  return { ...result, told };
}

const lost = (serialNumber: string, changes: Partial<LostCertificate> = {}): LostCertificate => ({
  issuer: 'issuing',
  serialNumber,
  sha256: serialNumber.repeat(16),
  device: 'later',
  template: 'device',
  log: origin,
  index: 7,
  revokedAt: now,
  reason: 0,
  ...changes,
});

suite('restoring', () => {
  test('ends the log and begins another, in which indexes begin at 0; both are read and verify', async (t) => {
    const stores = openStores(t);
    const { enrollment, admin, log } = stores;
    await importDevices(admin, device('d1'));
    await Promise.all(Array.from({ length: 600 }, (_, at) => enrollment.record(entry(`old ${at}`))));
    await issue(enrollment, intent('i1', 'd1'));
    await log.saveNote(602, 'a note');
    await log.saveSinkCursor('siem', 602);
    const before = await log.head();
    await restored(stores);

    assert.equal((await log.head()).size, 1);
    assert.equal(await log.note(), null);
    assert.equal(await log.sinkCursor('siem'), 0);
    assert.deepEqual(await enrollment.record(entry('new')), { index: 1 });
    assert.deepEqual((await verifiedIds(log)).length, 2);
    const [ended, ...more] = await log.earlier();
    assert.equal(more.length, 0);
    assert.deepEqual(
      [ended!.number, ended!.origin, ended!.head, ended!.note],
      [0, origin, before, `note of ${origin}`],
    );
    assert.equal((await verifiedIds({ ...ended!, head: async () => ended!.head })).length, 602);
    const root = CompactRange.restore(before.size, before.range).root();
    assert.deepEqual(Buffer.from(await treeRoot(602, ended!.hashes)), Buffer.from(root));
    assert.deepEqual([await log.find('old 7'), await ended!.find('old 7')], [null, 8]);
    assert.deepEqual([await log.find('new'), await ended!.find('new')], [1, null]);
  });

  test('keeps what is beside the entries of each log apart, at the same indexes as well', async (t) => {
    const stores = openStores(t);
    const { enrollment, log } = stores;
    const blob = (text: string) => blobOf(Buffer.alloc(16, 1), Buffer.from(text));
    await enrollment.record(entry('old 0', [blob('same')]));
    await enrollment.record(entry('old 1', [blob('same'), blob('old')]));
    await restored(stores);
    await enrollment.record(entry('new 1', [blob('same')]));
    const [ended] = await log.earlier();
    const kept = async (reader: Pick<typeof log, 'blobs'>) =>
      (await reader.blobs(0, 256))
        .map(({ index, bytes }) => `${index} ${Buffer.from(bytes).toString()}`)
        .toSorted();
    assert.deepEqual(await kept(ended!), ['0 same', '1 old', '1 same']);
    assert.deepEqual(await kept(log), ['1 same']);
    assert.equal((await ended!.blobs(1, 2)).length, 2);
  });

  test('keeps certificates of all logs in the order of their issuance', async (t) => {
    const stores = openStores(t);
    const { enrollment, admin, log } = stores;
    await importDevices(admin, device('d1'));
    await issue(enrollment, intent('i1', 'd1'));
    await restored(stores);
    await issue(enrollment, intent('i2', 'd1'));
    await restored(stores, {}, `${origin}/restored-20261123-abcdefgh`);
    await Promise.all(Array.from({ length: 300 }, (_, at) => enrollment.record(entry(`new ${at}`))));
    await issue(enrollment, intent('i3', 'd1'));
    const listed = await admin.certificates({ now, limit: 9 });
    assert.deepEqual(
      listed.map(({ log: number, logIndex }) => [number, logIndex]),
      [
        [0, 1],
        [1, 1],
        [2, 301],
      ],
    );
    const page = await admin.certificates({ now, limit: 9, after: listed[0]!.sha256 });
    assert.equal(page.length, 2);
    assert.deepEqual(
      (await log.earlier()).map(({ number, head }) => [number, head.size]),
      [
        [0, 2],
        [1, 2],
      ],
    );
    assert.equal((await verifiedIds(log)).length, 302);
    assert.equal((await log.hashes.read(8, 0, 2)).length, 1);
  });

  test('voids what was open, and revokes the serials of intents that were', async (t) => {
    const stores = openStores(t);
    const { enrollment, admin } = stores;
    await importDevices(admin, device('d1'), device('d2'));
    for (const id of ['s1', 's2', 's3']) await createSecret(admin, newSecret(id, 'd1'));
    await issue(enrollment, intent('i1', 'd1', { secret: { id: 's1', state: 'live' } }));
    await approve(admin, newApproval('a1', 'd1'));
    await approve(admin, newApproval('a2', 'd2'));
    await enrollment.hold(holdRecord('r1', 'd2', { spki: 'other' }));
    const open = intent('i2', 'd1', { secret: { id: 's2', state: 'live' }, approvalId: 'a1' });
    await enrollment.reserve(open);
    await admin.createMachine({
      machine: {
        name: 'mdm',
        scopes: ['secrets:list'],
        templates: ['device'],
        sources: null,
        createdAt: now,
        by: 'ada',
      },
      token: { hash: mac('token'), expiresAt: now + 1000 },
      entry: entry('machine'),
    });
    const { secrets, approvals, requests, intents, told } = await restored(stores);

    assert.deepEqual([secrets, approvals, requests, intents], [2, 2, 1, 1]);
    const states = (await admin.secrets({ limit: 9 })).map(({ id, state }) => `${id} ${state}`);
    assert.deepEqual(states.toSorted(), ['s1 spent', 's2 void', 's3 void']);
    assert.equal((await admin.request('r1'))?.state, 'denied');
    assert.deepEqual(
      (await allOf(admin.revoked('issuing', now))).map(({ serialNumber, reason }) => [serialNumber, reason]),
      [[open.serialNumber, 0]],
    );
    // Whoever signed it then comes too late, and the approval does not come back with it.
    await assert.rejects(enrollment.close(issuedRecord(open)), (error) =>
      isSallyportError(error, 'conflict'),
    );
    assert.equal(await enrollment.reserve(intent('i3', 'd1', { approvalId: 'a1' })), 'conflict');
    assert.deepEqual(
      told.map(({ event }) => event),
      ['intent.abandoned', 'restored'],
    );
    assert.deepEqual(told[1]!.detail['ended'], {
      secrets,
      approvals,
      requests,
      intents,
      machineCredentials: 1,
      externalAccountKeys: 0,
      accounts: 0,
      orders: 0,
      authorizations: 0,
      lost: 0,
      revoked: 0,
      stopped: 0,
    });
  });

  test('does again what is known to have happened since, each serial number once', async (t) => {
    const stores = openStores(t);
    const { enrollment, admin } = stores;
    await importDevices(admin, device('d1'), device('d2'), device('d3'));
    const known = await issue(enrollment, intent('i1', 'd1'));
    const open = intent('i2', 'd1');
    await enrollment.reserve(open);
    await admin.setDeviceState({ id: 'd3', state: 'retired', now, entry: entry('retire') });
    const {
      lost: count,
      revoked,
      stopped,
      intents,
    } = await restored(stores, {
      // One is known by its certificate, one by its intent, one not at all.
      lost: [lost(known.serialNumber), lost(open.serialNumber), lost('0b'), lost('0b', { reason: 1 })],
      revoked: [
        lost(known.serialNumber, { sha256: known.sha256, reason: 4, revokedAt: now - 5 }),
        lost('0c', { reason: 1, revokedAt: now - 9 }),
        lost('0c', { reason: 4 }),
      ],
      stopped: [
        { device: 'd2', state: 'suspended' },
        { device: 'd3', state: 'suspended' },
        { device: 'unknown', state: 'retired' },
      ],
    });
    assert.deepEqual([count, revoked, stopped, intents], [3, 1, 1, 0]);
    const list = await allOf(admin.revoked('issuing', now));
    assert.deepEqual(Object.fromEntries(list.map(({ serialNumber, ...rest }) => [serialNumber, rest])), {
      [known.serialNumber]: { revokedAt: now - 5, reason: 4 },
      [open.serialNumber]: { revokedAt: now, reason: 0 },
      '0b': { revokedAt: now, reason: 0 },
      '0c': { revokedAt: now - 9, reason: 1 },
    });
    assert.equal(list.length, 4);
    assert.equal(await admin.revokedCount('issuing', now), 4);
    assert.deepEqual(
      (await admin.devices({ limit: 9 })).map(({ state }) => state),
      ['active', 'suspended', 'retired'],
    );
    // A serial number that was ever given is never given again.
    assert.equal(await enrollment.reserve(intent('i4', 'd1', { serialNumber: '0b' })), 'conflict');
  });

  test('loses no certificate of a listener that the backup has, and revokes one that came later', async (t) => {
    const stores = openStores(t);
    const { admin } = stores;
    const holder = { node: '', listener: 'enroll' };
    const certificate = {
      issuer: 'issuing',
      serialNumber: '0a',
      spki: digest('listener'),
      notBefore: now,
      notAfter: now + 1000,
      der: Uint8Array.of(0x30, 0),
    };
    await admin.saveListenerCertificates([
      { holder, certificate, known: [], replaced: [], now, entry: entry('0a') },
    ]);
    const result = await restored(stores, { lost: [lost('0a'), lost('0b', { device: '' })] });
    assert.equal(result.lost, 1);
    assert.deepEqual(await admin.listenerCertificates(holder, now), [certificate]);
    assert.deepEqual(
      (await allOf(admin.revoked('issuing', now))).map(({ serialNumber }) => serialNumber),
      ['0b'],
    );
  });

  test('a lost certificate attests nothing', async (t) => {
    const stores = openStores(t);
    await restored(stores, { lost: [lost('0a')] });
    const query = observeQuery({
      evidence: digest('evidence'),
      attester: { spki: digest('key'), serialNumber: '0a' },
    });
    const { attester } = await stores.enrollment.observe(query);
    assert.deepEqual(attester, { deviceId: 'later', revoked: true });
  });

  test('goes on above a CRL number that is known to be out', async (t) => {
    const stores = openStores(t);
    const { admin } = stores;
    const list = {
      issuer: 'issuing',
      der: new Uint8Array(),
      listed: 0,
      thisUpdate: now,
      nextUpdate: now + 1,
    };
    await admin.saveCrl({ ...list, number: 5n, previous: null, entry: entry('crl') });
    const number = 2n ** 70n;
    await restored(stores, {
      crlNumbers: [
        { issuer: 'issuing', number },
        { issuer: 'unknown', number },
      ],
    });
    await assert.rejects(
      admin.saveCrl({ ...list, number, previous: number, entry: entry('again') }),
      (error) => isSallyportError(error, 'conflict'),
    );
    await admin.saveCrl({ ...list, number: number + 1n, previous: number, entry: entry('next') });
  });

  test('under a name that one of its logs has already is refused, and nothing is changed', async (t) => {
    const stores = openStores(t);
    await assert.rejects(restored(stores, {}, origin), (error) => isSallyportError(error, 'conflict'));
    assert.deepEqual(await stores.log.earlier(), []);
  });
});
