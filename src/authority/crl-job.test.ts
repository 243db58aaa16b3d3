import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { encodeEntry } from '#audit';
import { ceremony, loadIssuer, randomSerialNumber } from '#ca';
import { generateSoftwareKey } from '#keys';
import { createSqlite } from '#storage';
import { buildName, parseCertificateList } from '#x509';
import { refreshCrl } from './crl-job.ts';

const day = 86_400_000;
const begin = Date.UTC(2026, 10, 22, 12);
const entry = (id: string) => ({ bytes: encodeEntry({ id, type: 'test' }), blobs: [] });
const random = (n: number) => randomBytes(n);

/** The number of a CRL that was issued in this minute. */
const numberAt = (minute: number) => BigInt(begin + minute * 60_000);

/** A store with a CRL of minute 1, which lists nothing, and the job on another node. */
async function withEmptyCrl(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-crl-'));
  const storage = await createSqlite({ file: path.join(folder, 'sallyport.db'), origin: 'test.example/log' });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true });
  });
  const { admin, enrollment } = storage;
  const key = await generateSoftwareKey('ec-p256');
  const certificate = await ceremony.createRoot({
    subject: buildName([{ type: 'commonName', value: 'Root' }]),
    key,
    serialNumber: randomSerialNumber(random),
    notBefore: begin - day,
    notAfter: begin + 3650 * day,
  });
  const issuer = await loadIssuer({ name: 'issuing', certificate: certificate.der, chain: [], key });
  let now = begin;
  /** A minute later, for an issuer of which this node knows nothing new. Returns the CRL then. */
  const refresh = async () => {
    now += 60_000;
    const settings = { crl: { lifetimeSeconds: 7 * 86_400, refreshSeconds: 86_400 } };
    await refreshCrl(
      { issuer, settings: settings as never, revoked: false },
      { store: admin, clock: { now: () => now }, random },
    );
    const crl = await admin.crl('issuing');
    return {
      number: crl!.number,
      listed: parseCertificateList(crl!.der).revoked.map((row) => row.serialNumber),
    };
  };
  assert.deepEqual(await refresh(), { number: numberAt(1), listed: [] });

  const device = { id: 'd1', serialNumber: null, deviceClass: 'laptop', owner: null, identifiers: {} };
  await admin.importDevices({
    devices: [{ ...device, state: 'expected' }],
    approve: null,
    now,
    entry: entry('import'),
  });
  /** As another node does it, which ends before it issues a CRL. */
  const abandon = async (serialNumber: string) => {
    const wide = { burst: 1000, count: 1000, periodSeconds: 1 };
    await enrollment.reserve({
      id: serialNumber,
      issuer: 'issuing',
      serialNumber,
      tbsSha256: 'hash',
      deviceId: 'd1',
      seen: device,
      template: 'device',
      spki: 'key',
      requestSpki: 'key',
      names: 'names',
      fresh: false,
      secret: null,
      approvalId: null,
      order: null,
      predecessor: null,
      lineage: null,
      evidence: null,
      limits: { device: wide, template: wide, challenge: null },
      leaseUntil: now,
      now,
    });
    await admin.abandonIntent({ id: serialNumber, now, entry: entry(`abandon ${serialNumber}`) });
  };
  return { refresh, abandon };
}

suite('the CRL job', () => {
  test('lists what a node revoked that ended before its CRL', async (t) => {
    const { refresh, abandon } = await withEmptyCrl(t);
    await abandon('0a');
    assert.deepEqual(await refresh(), { number: numberAt(2), listed: ['0a'] });
    await abandon('0b');
    assert.deepEqual(await refresh(), { number: numberAt(3), listed: ['0a', '0b'] });
  });

  test('issues no other CRL while the newest lists everything', async (t) => {
    const { refresh, abandon } = await withEmptyCrl(t);
    assert.equal((await refresh()).number, numberAt(1));
    await abandon('0a');
    await refresh();
    assert.equal((await refresh()).number, numberAt(3));
  });
});
