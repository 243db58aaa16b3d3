import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { encodeEntry } from '#audit';
import { ceremony, loadIssuer, randomSerialNumber } from '#ca';
import { generateSoftwareKey, MessageKey } from '#keys';
import { createSqlite } from '#storage';
import { buildName, parseCertificate } from '#x509';
import { startRa, startRas } from './ra.ts';

const day = 86_400_000;
const begin = Date.UTC(2026, 10, 26, 12);
const random = (n: number) => randomBytes(n);

function messageKey(): MessageKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return new MessageKey(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })));
}

/** An issuer of so many days, and a store that nodes share. */
async function openWorld(t: TestContext, issuerDays = 3650) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-ra-'));
  const storage = await createSqlite({ file: path.join(folder, 'sallyport.db'), origin: 'test.example/log' });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true });
  });
  const key = await generateSoftwareKey('ec-p256');
  const root = await ceremony.createRoot({
    subject: buildName([{ type: 'commonName', value: 'Root' }]),
    key,
    serialNumber: randomSerialNumber(random),
    notBefore: begin - day / 24,
    notAfter: begin + issuerDays * day,
  });
  const issuer = await loadIssuer({ name: 'issuing', certificate: root.der, chain: [], key });
  const world = { now: begin };
  const start = (own: MessageKey) =>
    startRa(
      own,
      { issuer, crlUrls: [], caIssuersUrls: [], next: null },
      { store: storage.admin, clock: { now: () => world.now }, random, name: 'Example' },
    );
  const said: string[] = [];
  /** As the authority does, by the name of the issuer. */
  const startAll = (own: MessageKey) =>
    startRas(
      new Map([['issuing', own]]),
      { issuers: new Map([['issuing', { issuer, crlUrls: [], caIssuersUrls: [], next: null }]]) },
      { store: storage.admin, clock: { now: () => world.now }, random, name: 'Example' },
      ({ error }) => void said.push((error as Error).message),
    );
  const entries = async () => (await storage.log.head()).size;
  return { world, start, startAll, said, entries, admin: storage.admin };
}

const serials = (ra: Awaited<ReturnType<typeof startRa>>) =>
  ra.certificates().map(({ serialNumber }) => serialNumber);

suite('an RA', () => {
  test('has a certificate of its own from the first start on, with an entry, and the same at the next', async (t) => {
    const { start, entries } = await openWorld(t);
    const key = messageKey();
    const ra = await start(key);
    const [certificate] = ra.certificates();
    assert.deepEqual(new Uint8Array(certificate!.spki), key.spki);
    assert.equal(certificate!.notAfter, begin + 365 * day);
    assert.equal(await entries(), 1);
    assert.deepEqual(serials(await start(key)), serials(ra));
    assert.equal(await entries(), 1);
  });

  test('renews it when two thirds of its life are over, and goes on opening what was sent to the one before', async (t) => {
    const { world, start } = await openWorld(t);
    const ra = await start(messageKey());
    const [first] = serials(ra);
    world.now += 243 * day;
    await ra.refresh();
    assert.deepEqual(serials(ra), [first]);
    world.now += day;
    await ra.refresh();
    const [second, ...others] = serials(ra);
    assert.notEqual(second, first);
    assert.deepEqual(others, [first]);
    // And forgets it when it has ended.
    world.now += 122 * day;
    await ra.refresh();
    assert.deepEqual(serials(ra), [second]);
  });

  test('has one that ends with its issuer, and does not issue it again and again', async (t) => {
    const { world, start, entries } = await openWorld(t, 100);
    const ra = await start(messageKey());
    assert.equal(ra.certificates()[0]!.notAfter, begin + 100 * day);
    world.now += 99 * day;
    await ra.refresh();
    assert.equal(ra.certificates().length, 1);
    assert.equal(await entries(), 1);
  });

  test('on two nodes that start at once has one certificate', async (t) => {
    const { start, entries } = await openWorld(t);
    const key = messageKey();
    const [one, two] = await Promise.all([start(key), start(key)]);
    assert.deepEqual(serials(one), serials(two));
    assert.equal(await entries(), 1);
  });

  test('is renewed by one node, and the other follows', async (t) => {
    const { world, start } = await openWorld(t);
    const key = messageKey();
    const [one, two] = [await start(key), await start(key)];
    world.now += 300 * day;
    await one.refresh();
    await two.refresh();
    assert.equal(serials(one).length, 2);
    assert.deepEqual(serials(two), serials(one));
  });

  test('of an issuer that has ended is none, and keeps nothing from starting', async (t) => {
    const { world, startAll, said } = await openWorld(t, 100);
    assert.equal((await startAll(messageKey())).size, 1);
    world.now += 100 * day;
    assert.equal((await startAll(messageKey())).size, 0);
    assert.match(said.join(), /issuer issuing has ended/);
  });

  test('learns of what another node renewed when it is asked again, once a second', async (t) => {
    const { world, start } = await openWorld(t);
    const key = messageKey();
    const [one, two] = [await start(key), await start(key)];
    world.now += 300 * day;
    await one.refresh();
    assert.equal(serials(two).length, 1);
    assert.equal((await two.readAgain()).length, 2);
    assert.deepEqual(serials(two), serials(one));
  });

  test('uses no row of the store that is not of its key and issuer', async (t) => {
    const { start, admin } = await openWorld(t);
    const key = messageKey();
    const ra = await start(key);
    const [own] = ra.certificates();
    const [row] = await admin.raCertificates('issuing', begin);
    const other = await openWorld(t);
    const foreign = (await other.start(messageKey())).certificates()[0]!;
    for (const [serialNumber, der] of [
      ['0a', foreign.der],
      ['0b', Uint8Array.of(1, 2, 3)],
    ] as const) {
      const [first] = await admin.raCertificates('issuing', begin);
      await admin.saveRaCertificate({
        issuer: 'issuing',
        certificate: { ...row!, serialNumber, notAfter: first!.notAfter + day, der },
        newest: first!.serialNumber,
        replaced: [],
        now: begin,
        entry: { bytes: encodeEntry({ id: serialNumber, type: 'test' }), blobs: [] },
      });
    }
    await ra.refresh();
    assert.deepEqual(serials(ra), [own!.serialNumber]);
    assert.deepEqual(serials(await start(key)), [own!.serialNumber]);
  });

  test('of another key revokes the certificate of the one before; a node that still has that one says so, and undoes nothing', async (t) => {
    const { start, admin, entries } = await openWorld(t);
    const old = await start(messageKey());
    const [before] = old.certificates();
    const replacing = await start(messageKey());
    const [revoked] = (await Array.fromAsync(admin.revoked('issuing', begin))).flat();
    assert.equal(revoked!.serialNumber, before!.serialNumber);
    const size = await entries();
    await assert.rejects(old.refresh(), { code: 'config', message: /another node has another key/ });
    assert.equal(await entries(), size);
    await replacing.refresh();
    assert.deepEqual(
      (await admin.raCertificates('issuing', begin)).map(({ der }) => parseCertificate(der).serialNumber),
      serials(replacing),
    );
  });
});
