import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { encodeEntry } from '#audit';
import { createSqlite, type Storage } from '#storage';
import { endOldRequests } from './request-job.ts';

const hour = 3_600_000;
const lifetimeSeconds = 7 * 24 * 3600;
const begin = Date.UTC(2026, 10, 22);

const entry = (id: string) => ({ bytes: encodeEntry({ id, type: 'test' }), blobs: [] });

/** Requests of one device, each with a key and a secret of its own, held at `begin`. */
async function withRequests(t: TestContext, ids: readonly string[]): Promise<Storage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-requests-'));
  const storage = await createSqlite({ file: path.join(folder, 'sallyport.db'), origin: 'test.example/log' });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true });
  });
  const { admin, enrollment } = storage;
  const device = { id: 'd1', serialNumber: null, deviceClass: 'laptop', owner: null, identifiers: {} };
  await admin.importDevices({
    devices: [{ ...device, state: 'expected' }],
    approve: null,
    now: begin,
    entry: entry('import'),
  });
  for (const id of ids) {
    const common = { deviceId: 'd1', template: 'device' };
    const secret = { ...common, id: `secret of ${id}`, mac: randomBytes(32), macKeyId: 'k', expected: null };
    const lasting = { createdAt: begin, expiresAt: begin + hour, by: 'ada' };
    await admin.createSecret({ secret: { ...secret, ...lasting }, entry: entry(`create ${secret.id}`) });
    await enrollment.hold({
      ...common,
      requestId: id,
      spki: `key of ${id}`,
      names: 'names',
      secretId: secret.id,
      objections: [],
      limits: { device: { burst: 1000, count: 1000, periodSeconds: 1 }, challenge: null },
      polled: null,
      order: null,
      evidence: null,
      seen: null,
      contested: null,
      contestant: null,
      summary: {
        protocol: 'est',
        operation: 'simpleenroll',
        address: '192.0.2.1',
        action: 'enroll',
        subject: 'CN=d1',
        subjectAltName: [],
        keyAlgorithm: 'ec-p256',
      },
      now: begin,
      entry: entry(id),
    });
  }
  return storage;
}

async function approve({ admin }: Storage, id: string, now: number): Promise<void> {
  const approval = {
    id: `approval of ${id}`,
    deviceId: 'd1',
    template: 'device',
    names: 'names',
    lifts: [],
    evidence: null,
  };
  const lasting = { by: 'ada', createdAt: now, expiresAt: now + lifetimeSeconds * 1000 };
  await admin.approveRequest({
    id,
    approval: { ...approval, ...lasting, spki: `key of ${id}` },
    ofEvidence: [],
    now,
    entry: entry(`approve ${id}`),
  });
}

const endAt = ({ admin }: Storage, now: number) =>
  endOldRequests(lifetimeSeconds, { store: admin, clock: { now: () => now }, random: (n) => randomBytes(n) });

async function statesOf({ admin }: Storage) {
  const requests = (await admin.requests({ limit: 1000 })).map(({ id, state }) => `${id} ${state}`);
  const secrets = (await admin.secrets({ limit: 1000 })).map(({ id, state }) => `${id} ${state}`);
  return [...requests, ...secrets].sort();
}

suite('requests that wait', () => {
  test('end with their secrets when nobody decided them, or collected what was approved, in the lifetime of approvals', async (t) => {
    const storage = await withRequests(t, ['approved', 'undecided']);
    await approve(storage, 'approved', begin + hour);
    await endAt(storage, begin + lifetimeSeconds * 1000 - 1);
    assert.deepEqual(await statesOf(storage), [
      'approved approved',
      'secret of approved reserved',
      'secret of undecided reserved',
      'undecided pending',
    ]);
    await endAt(storage, begin + lifetimeSeconds * 1000);
    assert.deepEqual(await statesOf(storage), [
      'approved approved',
      'secret of approved reserved',
      'secret of undecided void',
      'undecided denied',
    ]);
    await endAt(storage, begin + hour + lifetimeSeconds * 1000);
    assert.deepEqual(await statesOf(storage), [
      'approved denied',
      'secret of approved void',
      'secret of undecided void',
      'undecided denied',
    ]);
  });

  test('end however many there are', async (t) => {
    const ids = Array.from({ length: 250 }, (_, i) => `r${i}`);
    const storage = await withRequests(t, ids);
    await approve(storage, 'r7', begin);
    await endAt(storage, begin + lifetimeSeconds * 1000);
    assert.deepEqual(await storage.admin.requests({ state: 'pending', limit: 10 }), []);
    assert.equal((await storage.admin.requests({ state: 'denied', limit: 1000 })).length, 250);
  });
});
